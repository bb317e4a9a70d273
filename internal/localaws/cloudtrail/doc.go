// Package cloudtrail records calls, delivers them to the bucket of each trail
// that logs, and chains signed digests over what it delivered.
//
// A recorded call is in memory until the next save, at most a second while Run
// runs: a process that is killed loses those calls, no others.
//
// Log files: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
// Digests: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
package cloudtrail
