package s3

import (
	"encoding/xml"
	"net/http"
	"slices"

	"engage/internal/localaws/wire"
)

const noPolicy = "The bucket policy does not exist"

func noSuchPolicy(bucketName string) error {
	return wire.StatusErrorf(http.StatusNotFound, "NoSuchBucketPolicy", noPolicy).With("BucketName", bucketName)
}

func checkPolicy(r *request, bk Bucket, doc []byte) ([]byte, error) {
	if err := r.cfg.CheckPolicy(doc); err != nil {
		return nil, wire.Errorf("MalformedPolicy", "%s", err.Error())
	}
	return doc, r.checkPublicPolicy(bk, doc)
}

func checkTagging(_ *request, _ Bucket, doc []byte) ([]byte, error) {
	tags, err := parseTagsDocument(doc)
	if err == nil {
		err = checkTags(tags, maxBucketTags)
	}
	return doc, err
}

func checkEncryption(_ *request, _ Bucket, doc []byte) ([]byte, error) {
	_, err := parseEncryption(doc)
	return doc, err
}

func checkObjectLock(_ *request, bk Bucket, doc []byte) ([]byte, error) {
	if _, err := parseLockConfiguration(doc); err != nil {
		return nil, err
	}
	if bk.Versioning != "Enabled" {
		return nil, wire.StatusErrorf(http.StatusConflict, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
	}
	return doc, nil
}

func checkPublicAccess(_ *request, _ Bucket, doc []byte) ([]byte, error) {
	var b publicAccessBlock
	if xml.Unmarshal(doc, &b) != nil {
		return nil, malformedXML()
	}
	return b.document()
}

func (b publicAccessBlock) document() ([]byte, error) {
	return xml.Marshal(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PublicAccessBlockConfiguration"`
		publicAccessBlock
	}{publicAccessBlock: b})
}

// ownerships are those that AWS knows. All but the first allow access control
// lists, which there are none of here.
var ownerships = []string{"BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"}

func checkOwnership(_ *request, _ Bucket, doc []byte) ([]byte, error) {
	var c struct {
		Rules []struct{ ObjectOwnership string } `xml:"Rule"`
	}
	if xml.Unmarshal(doc, &c) != nil || len(c.Rules) != 1 || !slices.Contains(ownerships, c.Rules[0].ObjectOwnership) {
		return nil, malformedXML()
	}
	if c.Rules[0].ObjectOwnership != ownerships[0] {
		return nil, wire.NotImplemented("the object ownership %s, which allows access control lists", c.Rules[0].ObjectOwnership)
	}
	return doc, nil
}

// defaultMinimum says which objects change their storage class by rules that
// do not speak of sizes.
const defaultMinimum = "all_storage_classes_128K"

func checkLifecycle(r *request, _ Bucket, doc []byte) ([]byte, error) {
	if size := r.r.Header.Get("X-Amz-Transition-Default-Minimum-Object-Size"); size != "" && size != defaultMinimum {
		return nil, wire.NotImplemented("the transition default minimum object size %s", size)
	}
	l, err := parseLifecycle(doc)
	if err != nil {
		return nil, err
	}
	r.setHeader("X-Amz-Transition-Default-Minimum-Object-Size", defaultMinimum)
	return xml.Marshal(l)
}

func checkNotification(r *request, bk Bucket, doc []byte) ([]byte, error) {
	n, err := parseNotifications(doc)
	if err != nil {
		return nil, err
	}
	if r.cfg.Invoker == nil && (n.EventBridge != nil || len(n.destinations()) > 0) {
		return nil, wire.NotImplemented("event notifications where no other service runs")
	}
	if err := r.greet(bk, n); err != nil {
		return nil, err
	}
	return xml.Marshal(n)
}
