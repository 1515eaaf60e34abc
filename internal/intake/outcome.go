package intake

import (
	"strings"

	"github.com/mailvane/mailvane/internal/mailbox"
	"github.com/mailvane/mailvane/internal/observation"
)

// outcomeOf says what an event of that type means for a recipient; ok is false when it means nothing that is counted
// (a subscription event that opts nobody out). The verdict is that of the recipient's reply.
func outcomeOf(e *observation.Event, r *observation.Recipient, v mailbox.Verdict) (outcome observation.Outcome, ok bool) {
	switch e.Type {
	case observation.EventSend:
		return observation.Sent, true
	case observation.EventDelivery:
		return observation.Delivered, true
	case observation.EventBounce:
		return bounceOutcome(e, r, v), true
	case observation.EventComplaint:
		return complaintOutcome(e), true
	case observation.EventReject:
		return observation.Rejected, true
	case observation.EventRenderingFailure:
		return observation.RenderingFailed, true
	case observation.EventDeliveryDelay:
		return observation.Delayed, true
	case observation.EventOpen:
		if e.Bot == observation.BotLikely {
			return observation.OpenedByBot, true
		}
		return observation.Opened, true
	case observation.EventClick:
		if e.Bot == observation.BotLikely {
			return observation.ClickedByBot, true
		}
		return observation.Clicked, true
	case observation.EventSubscription:
		return observation.Unsubscribed, e.OptOut
	default:
		return 0, false
	}
}

// bounceOutcome follows SES's own type, not the status code: it is by the type that SES judges an account.
func bounceOutcome(e *observation.Event, r *observation.Recipient, v mailbox.Verdict) observation.Outcome {
	switch e.BounceType {
	case "Permanent":
		if suppressedSubType(e.BounceSubType) {
			return observation.Suppressed
		}
		return observation.HardBounced
	case "Transient":
		// SES reports answers of absence assistants as Transient/General, without a delivery status
		// (https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html, bounce types).
		unexplained := e.BounceSubType == "General" && r.Status == "" && r.Diagnostic == ""
		if unexplained || v.Reason == mailbox.ReasonAutoreply {
			return observation.AutoreplySuspected
		}
		return observation.SoftBounced
	default:
		return observation.UndeterminedBounced
	}
}

// suppressedSubType tells the sub-types of mail that SES did not try to send. "Suppressed" is not among them: a hit of
// SES's global list counts as a hard bounce of the account.
func suppressedSubType(subType string) bool {
	switch subType {
	case "EmailValidationSuppressed", "UnsubscribedRecipient":
		return true
	default:
		// OnAccountSuppressionList, OnTenantSuppressionList, and lists still to come.
		return strings.HasSuffix(subType, "SuppressionList")
	}
}

func complaintOutcome(e *observation.Event) observation.Outcome {
	switch {
	case suppressedSubType(e.ComplaintSubType):
		return observation.Suppressed
	case e.FeedbackType == "not-spam":
		return observation.NotSpam
	default:
		return observation.Complained
	}
}
