// Package secretsmanager keeps secrets, their values encrypted under a KMS key
// with the permissions of those who read and write.
//
// A rotation runs its four steps within the call of RotateSecret and returns
// their error, where AWS runs them after the call has returned. Replicas in
// other regions are refused.
//
// API: https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
package secretsmanager
