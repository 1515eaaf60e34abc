output "queue_url" {
  description = "For collectors.ses[].queue_url."
  value       = aws_sqs_queue.events.url
}

output "role_arn" {
  description = "For serviceAccount.annotations of the chart, or role_arn where this account is read from another one."
  value       = one(aws_iam_role.mailvane[*].arn)
}

output "topic_arn" {
  description = "For event destinations that are made elsewhere."
  value       = aws_sns_topic.events.arn
}
