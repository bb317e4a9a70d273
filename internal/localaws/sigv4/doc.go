// Package sigv4 verifies AWS Signature Version 4: in the Authorization header,
// in a presigned query, and in bodies sent in signed chunks.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
//
// It is pure: keys come from the caller's lookup, the time from its clock.
package sigv4
