// Package policy parses, compiles and evaluates IAM policy documents.
//
// It is pure: no clock, no store, no HTTP. A caller hands over the request, the
// compiled documents that apply to it and the values of the condition keys, and
// gets a Decision with AWS's own wording.
//
// The grammar is that of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
// and the decision that of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
// without service and resource control policies, which belong to AWS
// Organizations and have no counterpart here.
package policy
