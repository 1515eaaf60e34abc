variable "name" {
  description = "The name of the topic and the queue, and the beginning of all other names."
  type        = string
  default     = "ses-events"
}

variable "configuration_sets" {
  description = "The configuration sets that publish their events. They are made unless create_configuration_sets is false."
  type        = set(string)
}

variable "create_configuration_sets" {
  description = "Whether the configuration sets are made here; false where they exist already."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "A key of your own that encrypts queue and topic, whose policy lets sns, ses and events.amazonaws.com use it. Null leaves encryption to SQS."
  type        = string
  default     = null
}

variable "role_name" {
  description = "The name of the role that Mailvane reads with. Null makes none."
  type        = string
  default     = "mailvane"
}

variable "eks" {
  description = "The service account that may assume the role by IRSA: the cluster's OIDC provider, the namespace and the account's name."
  type = object({
    oidc_provider_arn = string
    namespace         = string
    service_account   = string
  })
  default = null
}

variable "pod_identity" {
  description = "Whether EKS Pod Identity may assume the role. The association with the service account is made where the cluster is."
  type        = bool
  default     = false
}

variable "ec2" {
  description = "Whether machines of EC2 may assume the role."
  type        = bool
  default     = false
}

variable "trusted_role_arns" {
  description = "Roles of other accounts that may assume the role: that of Mailvane, when it runs there and this account is read with role_arn."
  type        = set(string)
  default     = []
}

variable "assumes_role_arns" {
  description = "Roles of other accounts that the role may assume: those that the configuration names as role_arn."
  type        = set(string)
  default     = []
}

variable "alert_identities" {
  description = "The ARNs of the SES identities, and of the configuration set if one is named, that alerts and reports are sent with by email.ses."
  type        = set(string)
  default     = []
}

variable "report_objects" {
  description = "The ARNs of the objects that reports are written to, such as arn:aws:s3:::my-bucket/reports/*."
  type        = set(string)
  default     = []
}

variable "regions" {
  description = "The regions whose CloudWatch and SES the role reads. Empty is this one."
  type        = set(string)
  default     = []
}

variable "receipt_rule_set" {
  description = "The receipt rule set whose rules have alarms. Needed with receipt_rules."
  type        = string
  default     = null
}

variable "receipt_rules" {
  description = "The receipt rules of the set that have alarms when mail cannot be handed on."
  type        = set(string)
  default     = []
}

variable "alarm_actions" {
  description = "The ARNs of what the alarms tell, such as topics of SNS."
  type        = list(string)
  default     = []
}
