# What Mailvane may do, and who may be Mailvane. A test holds that the actions are those that the code calls, and no others.

locals {
  regions = length(var.regions) > 0 ? var.regions : toset([data.aws_region.here.name])
  oidc    = var.eks == null ? null : replace(var.eks.oidc_provider_arn, "/^.*:oidc-provider//", "")
}

data "aws_iam_policy_document" "mailvane" {
  # collectors.ses
  statement {
    sid       = "Queue"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.events.arn]
  }

  # collectors.account and collectors.receipt_rules. All of them only read, and know no narrower resource.
  statement {
    sid = "Account"
    actions = [
      "cloudwatch:ListMetrics", "cloudwatch:GetMetricData", "ses:GetAccount", "ses:ListTenants", "ses:ListRecommendations",
      "ses:ListReputationEntities", "ses:DescribeActiveReceiptRuleSet",
    ]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = local.regions
    }
  }

  # email.ses of notifiers and reports: SES asks for the second of the two where a mail is handed over whole, as it is here.
  dynamic "statement" {
    for_each = length(var.alert_identities) > 0 ? [1] : []
    content {
      sid       = "Alerts"
      actions   = ["ses:SendEmail", "ses:SendRawEmail"]
      resources = var.alert_identities
    }
  }

  # reports[].to[].s3
  dynamic "statement" {
    for_each = length(var.report_objects) > 0 ? [1] : []
    content {
      sid       = "Reports"
      actions   = ["s3:PutObject"]
      resources = var.report_objects
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [1]
    content {
      sid       = "Key"
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key_arn]
    }
  }

  dynamic "statement" {
    for_each = length(var.assumes_role_arns) > 0 ? [1] : []
    content {
      sid       = "OtherAccounts"
      actions   = ["sts:AssumeRole"]
      resources = var.assumes_role_arns
    }
  }
}

data "aws_iam_policy_document" "trust" {
  dynamic "statement" {
    for_each = var.eks == null ? [] : [var.eks]
    content {
      sid     = "ServiceAccount"
      actions = ["sts:AssumeRoleWithWebIdentity"]
      principals {
        type        = "Federated"
        identifiers = [statement.value.oidc_provider_arn]
      }
      condition {
        test     = "StringEquals"
        variable = "${local.oidc}:sub"
        values   = ["system:serviceaccount:${statement.value.namespace}:${statement.value.service_account}"]
      }
      condition {
        test     = "StringEquals"
        variable = "${local.oidc}:aud"
        values   = ["sts.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.pod_identity ? [1] : []
    content {
      sid     = "PodIdentity"
      actions = ["sts:AssumeRole", "sts:TagSession"]
      principals {
        type        = "Service"
        identifiers = ["pods.eks.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.ec2 ? [1] : []
    content {
      sid     = "Machines"
      actions = ["sts:AssumeRole"]
      principals {
        type        = "Service"
        identifiers = ["ec2.${data.aws_partition.here.dns_suffix}"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.trusted_role_arns) > 0 ? [1] : []
    content {
      sid     = "Trusted"
      actions = ["sts:AssumeRole"]
      principals {
        type        = "AWS"
        identifiers = var.trusted_role_arns
      }
    }
  }
}

resource "aws_iam_role" "mailvane" {
  count              = var.role_name == null ? 0 : 1
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json
  lifecycle {
    precondition {
      condition     = var.eks != null || var.pod_identity || var.ec2 || length(var.trusted_role_arns) > 0
      error_message = "Nobody could assume the role: set eks, pod_identity, ec2 or trusted_role_arns, or role_name to null."
    }
  }
}

resource "aws_iam_role_policy" "mailvane" {
  count  = var.role_name == null ? 0 : 1
  name   = "mailvane"
  role   = aws_iam_role.mailvane[0].id
  policy = data.aws_iam_policy_document.mailvane.json
}
