package event

// The payloads: the object of an event that is named after its type.

func (s *scanner) bounce(b *bounce) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "bounceType":
			return s.Str(&b.BounceType)
		case "bounceSubType":
			return s.Str(&b.BounceSubType)
		case "bouncedRecipients":
			return s.recipients(&b.BouncedRecipients)
		case "timestamp":
			return s.Str(&b.Timestamp)
		case "feedbackId":
			return s.Str(&b.FeedbackID)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) complaint(c *complaint) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "complainedRecipients":
			return s.recipients(&c.ComplainedRecipients)
		case "timestamp":
			return s.Str(&c.Timestamp)
		case "feedbackId":
			return s.Str(&c.FeedbackID)
		case "complaintSubType":
			return s.Str(&c.ComplaintSubType)
		case "complaintFeedbackType":
			return s.Str(&c.ComplaintFeedbackType)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) delivery(v *delivery) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.Str(&v.Timestamp)
		case "processingTimeMillis":
			v.ProcessingTimeMillis = &s.owner.scratch.millis
			return s.Integer(v.ProcessingTimeMillis)
		case "recipients":
			return s.list(&v.Recipients)
		case "smtpResponse":
			return s.Str(&v.SMTPResponse)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) reject(r *reject) bool {
	return s.Members(func(name string) bool {
		if name == "reason" {
			return s.Str(&r.Reason)
		}
		return s.Skip()
	})
}

func (s *scanner) interaction(i *interaction) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.Str(&i.Timestamp)
		case "link":
			return s.Str(&i.Link)
		case "isBotEvent":
			return s.Str(&i.IsBotEvent)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) deliveryDelay(v *deliveryDelay) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "delayType":
			return s.Str(&v.DelayType)
		case "delayedRecipients":
			return s.recipients(&v.DelayedRecipients)
		case "timestamp":
			return s.Str(&v.Timestamp)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) recipients(dst *[]recipient) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.scratch.recipients
	start := len(*pool)
	ok := s.Elements(func() bool {
		var r recipient
		if len(*pool)-start == maxRecipients || !s.recipient(&r) {
			return false
		}
		*pool = append(*pool, r)
		return true
	})
	*dst = (*pool)[start:len(*pool):len(*pool)]
	return ok
}

func (s *scanner) recipient(r *recipient) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "emailAddress":
			return s.Str(&r.Address)
		case "status":
			return s.Str(&r.Status)
		case "diagnosticCode":
			return s.Str(&r.Diagnostic)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) subscription(v *subscription) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.Str(&v.Timestamp)
		case "newTopicPreferences":
			return s.preferences(&v.New)
		case "oldTopicPreferences":
			return s.preferences(&v.Old)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) preferences(p *preferences) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "unsubscribeAll":
			return s.Boolean(&p.UnsubscribeAll)
		case "topicSubscriptionStatus":
			return s.topics(&p.Topics)
		case "topicDefaultSubscriptionStatus":
			return s.topics(&p.Defaults)
		default:
			return s.Skip()
		}
	})
}

func (s *scanner) topics(dst *[]topic) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.scratch.topics
	start := len(*pool)
	ok := s.Elements(func() bool {
		var t topic
		if len(*pool)-start == maxTopics || !s.topic(&t) {
			return false
		}
		*pool = append(*pool, t)
		return true
	})
	*dst = (*pool)[start:len(*pool):len(*pool)]
	return ok
}

func (s *scanner) topic(t *topic) bool {
	return s.Members(func(name string) bool {
		switch name {
		case "topicName":
			return s.Str(&t.Name)
		case "subscriptionStatus":
			return s.Str(&t.Status)
		default:
			return s.Skip()
		}
	})
}
