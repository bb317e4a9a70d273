// Package dynamodb keeps tables of items: an acknowledged write is on disk.
//
// A table, an index and a setting are in effect at once, though answers show
// the state of passage that AWS has (CREATING, UPDATING, DELETING). Reads of
// global indexes see every acknowledged write. Item counts and sizes are exact.
// Throughput is never throttled.
//
// API: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html
package dynamodb
