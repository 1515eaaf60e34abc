// Package chart holds no code, only tests: they check Helm/mailvane with Helm's own packages and Kubernetes' own types, and the
// Terraform module of docs/terraform with HashiCorp's parser. It is a module of its own, so that none of these is a dependency
// of the program; "go test ./..." at the top leaves it out, and "make chart" runs it.
package chart
