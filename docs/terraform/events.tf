# From SES to the queue: docs/ses.md says why each of these is as it is.

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 1209600
  kms_master_key_id         = var.kms_key_arn
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
}

resource "aws_sqs_queue" "events" {
  name = var.name
  # For how long Mailvane may be away without a loss: the longest that SQS has.
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 60
  kms_master_key_id          = var.kms_key_arn
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null

  # Mailvane puts into quarantine what it cannot understand, so that hardly anything gets here. A few stops of the daemon must
  # not use up the receives.
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 20
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}

# Nobody else can put anything into the queue: this is what makes the events trustworthy.
data "aws_iam_policy_document" "queue" {
  statement {
    sid       = "Topic"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.events.arn]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.events.arn]
    }
  }
  statement {
    sid       = "Status"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.events.arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.status.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "events" {
  queue_url = aws_sqs_queue.events.id
  policy    = data.aws_iam_policy_document.queue.json
}

resource "aws_sns_topic" "events" {
  name              = var.name
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "SES"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.events.arn]
    principals {
      type        = "Service"
      identifiers = ["ses.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "AWS:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "events" {
  arn    = aws_sns_topic.events.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "events" {
  topic_arn = aws_sns_topic.events.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.events.arn
  # It saves a third of the traffic and a quarter of the decoding.
  raw_message_delivery = true
  depends_on           = [aws_sqs_queue_policy.events]
}

resource "aws_sesv2_configuration_set" "sets" {
  for_each               = var.create_configuration_sets ? var.configuration_sets : toset([])
  configuration_set_name = each.value
}

resource "aws_sesv2_configuration_set_event_destination" "events" {
  for_each               = var.configuration_sets
  configuration_set_name = each.value
  event_destination_name = var.name
  event_destination {
    enabled = true
    # SEND and DELIVERY are the denominators. OPEN and CLICK may be left out: nothing but their own counts needs them.
    matching_event_types = [
      "SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "OPEN", "CLICK", "RENDERING_FAILURE", "DELIVERY_DELAY", "SUBSCRIPTION",
    ]
    sns_destination {
      topic_arn = aws_sns_topic.events.arn
    }
  }
  # SES tries whether it may publish.
  depends_on = [aws_sesv2_configuration_set.sets, aws_sns_topic_policy.events]
}

# What SES says about the account itself comes over EventBridge: Mailvane then reads its standing at once.
resource "aws_cloudwatch_event_rule" "status" {
  name = "${var.name}-status"
  event_pattern = jsonencode({
    source        = ["aws.ses"]
    "detail-type" = ["Sending Status Enabled", "Sending Status Disabled", { prefix = "Advisor Recommendation Status" }]
  })
}

resource "aws_cloudwatch_event_target" "status" {
  rule = aws_cloudwatch_event_rule.status.name
  arn  = aws_sqs_queue.events.arn
}
