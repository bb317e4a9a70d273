// Package sqs keeps queues: an acknowledged message is on disk.
//
// Purging takes effect at once, so that neither PurgeQueueInProgress nor
// QueueDeletedRecently is ever returned, and the number of messages in flight has no limit.
//
// API: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
package sqs
