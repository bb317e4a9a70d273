package states

// StatusOf is the status in DescribeExecution's output.
func StatusOf(out any) string { return string(out.(*executionDescription).Status) }
