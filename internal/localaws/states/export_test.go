package states

import "fmt"

// StatusOf is the status in DescribeExecution's output.
func StatusOf(out any) string { return string(out.(*executionDescription).Status) }

// JSONFault tells the fault of a text with its line and column; empty when it has none.
func JSONFault(text string) string {
	f := invalidJSON(text)
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s %d:%d", f.message, f.line, f.column)
}
