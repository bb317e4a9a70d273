package states

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"engage/internal/localaws/asl"
	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/wire"
)

// named says what the SDK for Java calls a service: in front of an error's name, in its text, and the error of
// which its API knows nothing.
type named struct {
	prefix, service, general string
	json                     bool // its protocol refuses every call with status 400
}

var names = map[string]named{
	"athena":   {"Athena", "AmazonAthena", "AmazonAthenaException", true},
	"dynamodb": {"DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException", true},
	"ecs":      {"ECS", "AmazonECS", "AmazonECSException", true},
	"events":   {"EventBridge", "AmazonEventBridge", "AmazonEventBridgeException", true},
	"lambda":   {"Lambda", "AWSLambda", "AWSLambdaException", false},
	"s3":       {"S3", "Amazon S3", "AmazonS3Exception", false},
	"sns":      {"SNS", "AmazonSNS", "AmazonSNSException", false},
	"sqs":      {"SQS", "AmazonSQS", "AmazonSQSException", false},
	"states":   {"StepFunctions", "AWSStepFunctions", "AWSStepFunctionsException", true},
}

// common are errors that every service has and that few APIs name.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
var common = []string{"AccessDenied", "AccessDeniedException", "IncompleteSignature", "InternalFailure", "InvalidAction", "InvalidClientTokenId",
	"InvalidParameterCombination", "InvalidParameterValue", "MissingParameter", "NotAuthorized", "NotImplemented", "RequestExpired", "SerializationException",
	"ServiceUnavailable", "SignatureDoesNotMatch", "Throttling", "ThrottlingException", "UnknownOperationException", "UnrecognizedClientException",
	"ValidationError", "ValidationException"}

// namedByAPI are errors that are common, but named by a service's API all the same.
var namedByAPI = []string{"ecs AccessDeniedException", "states ValidationException"}

// taskError names a service's error as AWS does, whose SDK for Java gives name and text.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
func (s sdk) taskError(r asl.Resource, err error) error {
	var already *interp.TaskError
	var refused *wire.Error
	if err == nil || errors.As(err, &already) || !errors.As(err, &refused) {
		return err
	}
	n, known := names[r.Type]
	if !known {
		n = named{prefix: r.Type, service: r.Type, general: "SdkException"}
	}
	code, status := refused.Code, cmp.Or(refused.Status, 400)
	if wire.IsAccessDenied(err) {
		code, status = deniedBy(r.Type), 403
	}
	if n.json && status < 500 {
		status = 400
	}
	if code == "ValidationError" && r.Type != "sns" { // the name that only the query protocol has
		code = "ValidationException"
	}
	name := strings.TrimSuffix(code, "Exception") + "Exception"
	if slices.Contains(common, code) && !slices.Contains(namedByAPI, r.Type+" "+code) {
		name = n.general
	}
	return &interp.TaskError{Name: n.prefix + "." + name, Cause: fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)",
		refused.Message, n.service, status, cmp.Or(refused.QueryCode, code), s.requestID(r.Type))}
}

// deniedBy is how a service calls a refused permission.
func deniedBy(service string) string {
	switch service {
	case "s3":
		return "AccessDenied"
	case "sns":
		return "AuthorizationError"
	}
	return "AccessDeniedException"
}
