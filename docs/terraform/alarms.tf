# Alarms that need no Mailvane: they tell when it is away, and when inbound mail is lost meanwhile.

# Events wait for 14 days. An hour is long for a daemon that keeps up within seconds.
resource "aws_cloudwatch_metric_alarm" "waiting" {
  alarm_name          = "${var.name}-waiting"
  alarm_description   = "Events of SES wait in the queue ${var.name}: Mailvane is away, or cannot keep up."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = aws_sqs_queue.events.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = 3600
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}

resource "aws_cloudwatch_metric_alarm" "dead" {
  alarm_name          = "${var.name}-dead"
  alarm_description   = "Events were received 20 times and not counted: look at the log of Mailvane, then start a redrive of ${var.name}-dead."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
}

# An attempt to hand on a mail failed. SES repeats it for four hours.
resource "aws_cloudwatch_metric_alarm" "receipt_failures" {
  for_each            = var.receipt_rules
  alarm_name          = "ses-receipt-${each.value}-failures"
  alarm_description   = "The receipt rule ${each.value} cannot hand on mail. SES tries for four hours; then the mail is lost."
  namespace           = "AWS/SES"
  metric_name         = "PublishFailure"
  dimensions          = { RuleSetName = var.receipt_rule_set, RuleName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  lifecycle {
    precondition {
      condition     = var.receipt_rule_set != null
      error_message = "receipt_rules need receipt_rule_set, the rule set that they are in."
    }
  }
}

# Mail is lost.
resource "aws_cloudwatch_metric_alarm" "receipt_expired" {
  for_each            = var.receipt_rules
  alarm_name          = "ses-receipt-${each.value}-lost"
  alarm_description   = "The receipt rule ${each.value} has lost mail that it could not hand on for four hours."
  namespace           = "AWS/SES"
  metric_name         = "PublishExpired"
  dimensions          = { RuleSetName = var.receipt_rule_set, RuleName = each.value }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  lifecycle {
    precondition {
      condition     = var.receipt_rule_set != null
      error_message = "receipt_rules need receipt_rule_set, the rule set that they are in."
    }
  }
}
