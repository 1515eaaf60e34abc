// Package event reads the body of a queue message into the events that Amazon SES put there. It is a pure parser: no I/O,
// no clock, no state but buffers.
//
// # Shapes
//
// What a queue holds depends on how the events got there, and one queue may hold several shapes at once. The shape is
// decided by content, never by configuration:
//
//   - SNS envelope: an object with the strings Type and Message; the event is JSON inside the string Message.
//   - EventBridge envelope: an object with detail-type and detail; the event is the object detail. It may come through SNS.
//   - raw: the bare event, which has eventType (event publishing) or notificationType (the older identity notifications).
//     That is SNS raw delivery, and also what an EventBridge input transformer leaves when it forwards the detail.
//   - set-up texts: what SNS and SES send once when somebody connects a topic. Understood, and about no mail.
//   - status events of EventBridge (sending status, advisor recommendations): about an account or tenant, not a mail.
//
// Whatever is none of these is reported as unreadable with a bounded reason and a detail that never quotes the body.
// Sources: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html,
// …/notification-contents.html, …/monitoring-eventbridge.html and
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html.
//
// # Two decoders
//
// Almost every message is a known event in plain JSON. Those are read by the scanner (scan.go, scanpayload.go, on package
// scan), which makes one pass over the text, also over JSON inside an SNS message, which it reads where it stands.
// Strings alias the body, or the decoder's arena when they hold escapes; nothing is allocated once its buffers have grown.
//
// The scanner knows a part of JSON only. Whatever it is not sure of (a name with an escape, invalid UTF-8, a wrong type, a
// field given twice, a type that it does not know) it gives up, and the strict decoder (shape.go, strict.go), which stands
// on a complete JSON implementation, decides from the start. So the strict decoder alone defines what a body means; the
// scanner may only agree faster. A fuzz test holds it to that.
//
// Both fill the same document (document.go), the event as SES writes it; build.go checks it and turns it into an
// observation.Event. Rules of that step, such as which fields must be there, therefore exist once:
//
//   - messageId, mail.timestamp, the recipients, the own time of the types that have one, and bounceType must be there.
//   - A field that is read must have its documented type; null counts as absent. Anything else in the body is ignored.
//   - Invalid UTF-8 and lone surrogates become U+FFFD. Of a name that an object gives twice, the last one counts.
//   - More than 100 recipients are refused (SES allows 50), because leaving some out would lose counts in silence. Of tags
//     and headers the first 200 of each are kept.
//
// A Decoder is used by one goroutine. The package may be imported by collectors/ses and by whatever replays saved messages.
package event
