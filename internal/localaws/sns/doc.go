// Package sns publishes messages to queues and functions.
//
// Publish returns once every subscription has taken the message, or its
// dead-letter queue has: nothing waits in between that a crash could lose. A
// delivery that the target refuses goes to the dead-letter queue at once,
// where AWS would retry for some weeks. Notifications carry no signature:
// there is no certificate that a receiver could check it with.
//
// Protocols other than sqs and lambda are refused by name, as are FIFO topics.
//
// API: https://docs.aws.amazon.com/sns/latest/api/welcome.html
package sns
