package s3

import (
	"net/http"

	"engage/internal/localaws/wire"
)

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

func noSuchBucket(name string) error {
	return wire.StatusErrorf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").With("BucketName", name)
}

func noSuchKey(key string) error {
	return wire.StatusErrorf(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").With("Key", key)
}

func noSuchVersion(key, version string) error {
	return wire.StatusErrorf(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.").
		With("Key", key).With("VersionId", version)
}

func noSuchUpload(id string) error {
	return wire.StatusErrorf(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").With("UploadId", id)
}

func invalidArgument(name, value, why string) error {
	return wire.Errorf("InvalidArgument", "%s", why).With("ArgumentName", name).With("ArgumentValue", value)
}

func malformedXML() error {
	return wire.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

func preconditionFailed(condition string) error {
	return wire.StatusErrorf(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold").With("Condition", condition)
}
