package s3

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"engage/internal/localaws/wire"
)

// setting is a document of a bucket that is kept and returned as it was given.
type setting struct {
	noun   string // in the operations' names: PutBucketEncryption
	sub    string // query literal
	root   string // of the XML document; "" for JSON
	action string // noun of the permissions, where it is another: PutEncryptionConfiguration

	code, message string // of the error when there is none
	fallback      string // or the document then

	forget       string // name of the operation that deletes it; "" for none
	forgetAction string // its permission; "" is Put's
	readOnly     bool   // cannot be set here

	// check refuses a document that the setting does not take, and returns
	// what is kept. REQUIRES: its root element is right. nil keeps all.
	check  func(r *request, bk Bucket, doc []byte) ([]byte, error)
	status int // of the answer to Put; 0 is 200
}

func xmlDocument(root, content string) string {
	return "<" + root + ` xmlns="` + namespace + `">` + content + "</" + root + ">"
}

var settings = []setting{
	{noun: "BucketEncryption", sub: "encryption", check: checkEncryption, root: "ServerSideEncryptionConfiguration", action: "EncryptionConfiguration", forget: "DeleteBucketEncryption",
		fallback: xmlDocument("ServerSideEncryptionConfiguration", "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>")},
	{noun: "PublicAccessBlock", sub: "publicAccessBlock", check: checkPublicAccess, root: "PublicAccessBlockConfiguration", action: "BucketPublicAccessBlock", forget: "DeletePublicAccessBlock",
		fallback: xmlDocument("PublicAccessBlockConfiguration", "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>"),
		code:     "NoSuchPublicAccessBlockConfiguration", message: "The public access block configuration was not found"},
	{noun: "BucketOwnershipControls", sub: "ownershipControls", check: checkOwnership, root: "OwnershipControls", forget: "DeleteBucketOwnershipControls",
		fallback: xmlDocument("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
		code:     "OwnershipControlsNotFoundError", message: "The bucket ownership controls were not found"},
	{noun: "BucketPolicy", sub: "policy", check: checkPolicy, status: http.StatusNoContent, forget: "DeleteBucketPolicy", forgetAction: "DeleteBucketPolicy", code: "NoSuchBucketPolicy", message: noPolicy},
	{noun: "BucketLifecycleConfiguration", sub: "lifecycle", check: checkLifecycle, root: "LifecycleConfiguration", action: "LifecycleConfiguration", forget: "DeleteBucketLifecycle", code: "NoSuchLifecycleConfiguration", message: "The lifecycle configuration does not exist"},
	{noun: "BucketCors", sub: "cors", check: checkCORS, root: "CORSConfiguration", action: "BucketCORS", forget: "DeleteBucketCors", code: "NoSuchCORSConfiguration", message: "The CORS configuration does not exist"},
	{noun: "BucketTagging", sub: "tagging", check: checkTagging, status: http.StatusNoContent, root: "Tagging", forget: "DeleteBucketTagging", code: "NoSuchTagSet", message: "The TagSet does not exist"},
	{noun: "BucketLogging", sub: "logging", check: checkLogging, root: "BucketLoggingStatus", fallback: xmlDocument("BucketLoggingStatus", "")},
	{noun: "BucketNotificationConfiguration", sub: "notification", check: checkNotification, root: "NotificationConfiguration", action: "BucketNotification", fallback: xmlDocument("NotificationConfiguration", "")},
	{noun: "ObjectLockConfiguration", sub: "object-lock", check: checkObjectLock, root: "ObjectLockConfiguration", action: "BucketObjectLockConfiguration", code: "ObjectLockConfigurationNotFoundError", message: "Object Lock configuration does not exist for this bucket"},
	{noun: "BucketRequestPayment", sub: "requestPayment", fallback: xmlDocument("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"), readOnly: true},
	{noun: "BucketAccelerateConfiguration", sub: "accelerate", action: "AccelerateConfiguration", fallback: xmlDocument("AccelerateConfiguration", ""), readOnly: true},
	{noun: "BucketWebsite", sub: "website", code: "NoSuchWebsiteConfiguration", message: "The specified bucket does not have a website configuration", readOnly: true},
	{noun: "BucketReplication", sub: "replication", action: "ReplicationConfiguration", code: "ReplicationConfigurationNotFoundError", message: "The replication configuration was not found", readOnly: true},
}

func settingOperations() []operation {
	var table []operation
	for _, set := range settings {
		action := set.action
		if action == "" {
			action = set.noun
		}
		table = append(table, operation{name: "Get" + set.noun, method: "GET", level: bucket, sub: set.sub, action: "Get" + action, handle: set.get})
		if !set.readOnly {
			table = append(table, operation{name: "Put" + set.noun, method: "PUT", level: bucket, sub: set.sub, action: "Put" + action, tier1: true, handle: set.put})
		}
		if set.forget != "" {
			forget := set.forgetAction
			if forget == "" {
				forget = "Put" + action
			}
			table = append(table, operation{name: set.forget, method: "DELETE", level: bucket, sub: set.sub, action: forget, handle: set.delete})
		}
	}
	return table
}

func (set setting) get(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	if set.sub == "lifecycle" {
		r.setHeader("X-Amz-Transition-Default-Minimum-Object-Size", defaultMinimum)
	}
	doc, ok := bk.Settings[set.sub]
	switch {
	case ok && set.root == "":
		r.w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(r.w, doc)
		return err
	case !ok && (set.fallback == "" || bk.Deleted[set.sub] && set.code != ""):
		return wire.StatusErrorf(http.StatusNotFound, set.code, "%s", set.message).With("BucketName", bk.Name)
	case !ok:
		doc = set.fallback
	}
	if !strings.HasPrefix(doc, "<?xml") {
		doc = xml.Header + doc
	}
	return r.writeDocument([]byte(doc))
}

func (set setting) put(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	doc, err := r.readBody()
	if err != nil {
		return err
	}
	var root struct{ XMLName xml.Name }
	if set.root != "" && (xml.Unmarshal(doc, &root) != nil || root.XMLName.Local != set.root) {
		return malformedXML()
	}
	if set.check != nil {
		if doc, err = set.check(r, bk, doc); err != nil {
			return err
		}
	}
	err = r.changeBucket(func(bk *Bucket) error {
		bk.Settings[set.sub] = string(doc)
		return nil
	})
	if err != nil {
		return err
	}
	if set.status != 0 {
		return r.writeStatus(set.status)
	}
	return r.writeStatus(http.StatusOK)
}

func (set setting) delete(r *request) error {
	err := r.changeBucket(func(bk *Bucket) error {
		delete(bk.Settings, set.sub)
		bk.Deleted[set.sub] = true
		return nil
	})
	if err != nil {
		return err
	}
	return r.writeStatus(http.StatusNoContent)
}

func jsonObject(doc []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(doc, &object); err != nil {
		return wire.Errorf("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	return nil
}
