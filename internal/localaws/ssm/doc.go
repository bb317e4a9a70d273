// Package ssm is Systems Manager's Parameter Store: the standard and the
// advanced tier without parameter policies. All else of Systems Manager is refused.
//
// API: https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html
package ssm
