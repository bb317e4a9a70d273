// Package wire speaks AWS's protocols: it decodes a request into a typed Go
// struct, encodes the answer, and renders the one error type in the form that
// each protocol prescribes. A service is a list of operations; it never sees
// HTTP unless it asks for it.
//
// Protocols: https://smithy.io/2.0/aws/protocols/index.html
package wire
