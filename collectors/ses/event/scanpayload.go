package event

// The payloads: the object of an event that is named after its type.

func (s *scanner) bounce(b *bounce) bool {
	return s.members(func(name string) bool {
		switch name {
		case "bounceType":
			return s.str(&b.BounceType)
		case "bounceSubType":
			return s.str(&b.BounceSubType)
		case "bouncedRecipients":
			return s.recipients(&b.BouncedRecipients)
		case "timestamp":
			return s.str(&b.Timestamp)
		case "feedbackId":
			return s.str(&b.FeedbackID)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) complaint(c *complaint) bool {
	return s.members(func(name string) bool {
		switch name {
		case "complainedRecipients":
			return s.recipients(&c.ComplainedRecipients)
		case "timestamp":
			return s.str(&c.Timestamp)
		case "feedbackId":
			return s.str(&c.FeedbackID)
		case "complaintSubType":
			return s.str(&c.ComplaintSubType)
		case "complaintFeedbackType":
			return s.str(&c.ComplaintFeedbackType)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) delivery(v *delivery) bool {
	return s.members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.str(&v.Timestamp)
		case "processingTimeMillis":
			v.ProcessingTimeMillis = &s.owner.scratch.millis
			return s.integer(v.ProcessingTimeMillis)
		case "recipients":
			return s.list(&v.Recipients)
		case "smtpResponse":
			return s.str(&v.SMTPResponse)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) reject(r *reject) bool {
	return s.members(func(name string) bool {
		if name == "reason" {
			return s.str(&r.Reason)
		}
		return s.skip()
	})
}

func (s *scanner) interaction(i *interaction) bool {
	return s.members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.str(&i.Timestamp)
		case "link":
			return s.str(&i.Link)
		case "isBotEvent":
			return s.str(&i.IsBotEvent)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) deliveryDelay(v *deliveryDelay) bool {
	return s.members(func(name string) bool {
		switch name {
		case "delayType":
			return s.str(&v.DelayType)
		case "delayedRecipients":
			return s.recipients(&v.DelayedRecipients)
		case "timestamp":
			return s.str(&v.Timestamp)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) recipients(dst *[]recipient) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.scratch.recipients
	start := len(*pool)
	ok := s.elements(func() bool {
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
	return s.members(func(name string) bool {
		switch name {
		case "emailAddress":
			return s.str(&r.Address)
		case "status":
			return s.str(&r.Status)
		case "diagnosticCode":
			return s.str(&r.Diagnostic)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) subscription(v *subscription) bool {
	return s.members(func(name string) bool {
		switch name {
		case "timestamp":
			return s.str(&v.Timestamp)
		case "newTopicPreferences":
			return s.preferences(&v.New)
		case "oldTopicPreferences":
			return s.preferences(&v.Old)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) preferences(p *preferences) bool {
	return s.members(func(name string) bool {
		switch name {
		case "unsubscribeAll":
			return s.boolean(&p.UnsubscribeAll)
		case "topicSubscriptionStatus":
			return s.topics(&p.Topics)
		case "topicDefaultSubscriptionStatus":
			return s.topics(&p.Defaults)
		default:
			return s.skip()
		}
	})
}

func (s *scanner) topics(dst *[]topic) bool {
	if *dst != nil {
		return false
	}
	pool := &s.owner.scratch.topics
	start := len(*pool)
	ok := s.elements(func() bool {
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
	return s.members(func(name string) bool {
		switch name {
		case "topicName":
			return s.str(&t.Name)
		case "subscriptionStatus":
			return s.str(&t.Status)
		default:
			return s.skip()
		}
	})
}
