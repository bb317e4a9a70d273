package sqs

import "engage/internal/localaws/wire"

// coded is an error with the name that it had in the query protocol, which
// SDKs still report.
func coded(code, query, format string, args ...any) error {
	e := wire.Errorf(code, format, args...)
	e.QueryCode = query
	return e
}

func simple(code, format string, args ...any) error {
	return coded(code, "AWS.SimpleQueueService."+code, format, args...)
}

func errNoQueue() error {
	return coded("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
}

func errParameter(format string, args ...any) error {
	return coded("InvalidParameterValue", "InvalidParameterValue", format, args...)
}

func errMissing(format string, args ...any) error {
	return coded("MissingParameter", "MissingParameter", format, args...)
}

func errHandle(handle string) error {
	return coded("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle \"%s\" is not a valid receipt handle.", handle)
}
