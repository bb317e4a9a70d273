package s3

import (
	"cmp"
	"encoding/xml"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// validName reports whether a bucket may have the name.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func validName(name string) bool {
	return bucketName.MatchString(name) && net.ParseIP(name) == nil && !strings.Contains(name, "..") &&
		!strings.HasPrefix(name, "xn--") && !strings.HasPrefix(name, "sthree-") && !strings.HasSuffix(name, "-s3alias")
}

type createConfiguration struct {
	XMLName            xml.Name
	LocationConstraint string
	Tags               []Tag     `xml:"Tags>Tag"`
	Location           *struct{} `xml:"Location"`
	Bucket             *struct{} `xml:"Bucket"`
}

func createBucket(r *request) error {
	region, tags, err := r.location()
	if err != nil {
		return err
	}
	bk := Bucket{Name: r.bucket, Account: r.call.Caller.Account, Region: region, Created: r.cfg.Clock().UTC(), Settings: map[string]string{}}
	if len(tags) > 0 {
		bk.Settings["tagging"] = tagsDocument(tags)
	}
	if err := r.createOptions(&bk); err != nil {
		return err
	}
	err = r.store.Update(func(tx state.Tx) error {
		have, err := getBucket(tx, bk.Name)
		if err == nil {
			return taken(have, bk)
		}
		return buckets.Put(tx, bk.Name, bk)
	})
	if err != nil && !errors.Is(err, errAgain) {
		return err
	}
	r.setHeader("Location", "/"+bk.Name)
	r.setHeader("X-Amz-Bucket-Arn", "arn:aws:s3:::"+bk.Name)
	return r.writeStatus(http.StatusOK)
}

// location returns the region that the request asks for.
func (r *request) location() (string, []Tag, error) {
	if !validName(r.bucket) {
		return "", nil, wire.Errorf("InvalidBucketName", "The specified bucket is not valid.").With("BucketName", r.bucket)
	}
	raw, err := r.readBody()
	if err != nil {
		return "", nil, err
	}
	if len(raw) == 0 {
		region, err := r.constrained("")
		return region, nil, err
	}
	var c createConfiguration
	if xml.Unmarshal(raw, &c) != nil || c.XMLName.Local != "CreateBucketConfiguration" {
		return "", nil, malformedXML()
	}
	if c.Location != nil || c.Bucket != nil {
		return "", nil, wire.NotImplemented("a directory bucket")
	}
	region, err := r.constrained(c.LocationConstraint)
	return region, c.Tags, err
}

// constrained returns the region of a new bucket. The endpoint of the default
// region makes buckets anywhere, that of another one only there.
func (r *request) constrained(constraint string) (string, error) {
	here := r.call.Caller.Region
	switch {
	case constraint == wire.DefaultRegion:
		return "", wire.Errorf("InvalidLocationConstraint", "The specified location-constraint is not valid").With("LocationConstraint", constraint)
	case constraint == "EU":
		constraint = "eu-west-1"
	}
	if here == "" || here == wire.DefaultRegion || here == constraint {
		return cmp.Or(constraint, wire.DefaultRegion), nil
	}
	return "", wire.Errorf("IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", cmp.Or(constraint, "unspecified"))
}

func (r *request) createOptions(bk *Bucket) error {
	h := r.r.Header
	if acl := h.Get("X-Amz-Acl"); acl != "" && acl != "private" {
		return wire.Errorf("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	if o := h.Get("X-Amz-Object-Ownership"); o != "" && o != "BucketOwnerEnforced" {
		return wire.NotImplemented("the object ownership %s", o)
	}
	if strings.EqualFold(h.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		bk.Versioning = "Enabled"
		bk.Settings["object-lock"] = `<ObjectLockConfiguration xmlns="` + namespace + `"><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`
	}
	return nil
}

// errAgain says that the caller has the bucket already, and that its region is
// the one where creating it again does nothing.
var errAgain = errors.New("the bucket is there")

func taken(have, want Bucket) error {
	switch {
	case have.Account != want.Account:
		return wire.StatusErrorf(http.StatusConflict, "BucketAlreadyExists",
			"The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.").With("BucketName", have.Name)
	case have.Region == wire.DefaultRegion && want.Region == wire.DefaultRegion:
		return errAgain
	}
	return wire.StatusErrorf(http.StatusConflict, "BucketAlreadyOwnedByYou",
		"Your previous request to create the named bucket succeeded and you already own it.").With("BucketName", have.Name)
}

func headBucket(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	r.setHeader("X-Amz-Bucket-Region", bk.Region)
	r.setHeader("X-Amz-Bucket-Arn", "arn:aws:s3:::"+bk.Name)
	r.setHeader("Content-Type", "application/xml")
	return r.writeStatus(http.StatusOK)
}

func deleteBucket(r *request) error {
	var bk Bucket
	var gone []string
	err := r.store.Update(func(tx state.Tx) (err error) {
		if bk, err = getBucket(tx, r.bucket); err != nil {
			return err
		}
		if hasAny(current, tx, bk.Name) || hasAny(versions, tx, bk.Name) {
			return wire.StatusErrorf(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty").With("BucketName", bk.Name)
		}
		if gone, err = dropUploads(tx, bk.Name); err != nil {
			return err
		}
		return buckets.Delete(tx, bk.Name)
	})
	if err != nil {
		return err
	}
	r.blobs.remove(bk, gone...)
	r.blobs.removeBucket(bk)
	return r.writeStatus(http.StatusNoContent)
}

func hasAny[T any](c state.Collection[T], tx state.Tx, bucketName string) bool {
	for range c.Scan(tx, state.Prefix(bucketName), "") {
		return true
	}
	return false
}

type bucketEntry struct {
	Name         string
	CreationDate string
	BucketRegion string
	BucketArn    string
}

type bucketList struct {
	XMLName           xml.Name      `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             owner         `xml:"Owner"`
	Buckets           []bucketEntry `xml:"Buckets>Bucket"`
	Prefix            string        `xml:",omitempty"`
	ContinuationToken string        `xml:",omitempty"`
}

func listBuckets(r *request) error {
	limit, err := r.limit("max-buckets", 10_000)
	if err != nil {
		return err
	}
	list := bucketList{Owner: ownerOf(r.call.Caller.Account), Prefix: r.query.Get("prefix")}
	err = r.store.View(func(tx state.Tx) error {
		for raw := range buckets.Scan(tx, list.Prefix, r.query.Get("continuation-token")) {
			bk, err := raw.Value()
			if err != nil {
				return err
			}
			if region := r.query.Get("bucket-region"); bk.Account != r.call.Caller.Account || region != "" && region != bk.Region {
				continue
			}
			if len(list.Buckets) == limit && limit > 0 {
				list.ContinuationToken = list.Buckets[limit-1].Name
				return nil
			}
			list.Buckets = append(list.Buckets, bucketEntry{bk.Name, isoTime(bk.Created), bk.Region, "arn:aws:s3:::" + bk.Name})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.writeXML(list)
}

func getLocation(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	region := bk.Region
	if region == wire.DefaultRegion {
		region = ""
	}
	return r.writeXML(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Region  string   `xml:",chardata"`
	}{Region: region})
}

type versioning struct {
	XMLName   xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status    string   `xml:",omitempty"`
	MfaDelete string   `xml:",omitempty"`
}

func getVersioning(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	return r.writeXML(versioning{Status: bk.Versioning})
}

func putVersioning(r *request) error {
	var v struct{ Status, MfaDelete string }
	if err := r.readXML(&v); err != nil {
		return err
	}
	if v.MfaDelete == "Enabled" {
		return wire.NotImplemented("MFA delete")
	}
	if v.Status != "Enabled" && v.Status != "Suspended" {
		return malformedXML()
	}
	err := r.changeBucket(func(bk *Bucket) error {
		if v.Status == "Suspended" && bk.Settings["object-lock"] != "" {
			return wire.StatusErrorf(http.StatusConflict, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		bk.Versioning = v.Status
		return nil
	})
	if err != nil {
		return err
	}
	return r.writeStatus(http.StatusOK)
}

func (r *request) changeBucket(f func(*Bucket) error) error {
	return r.store.Update(func(tx state.Tx) error {
		bk, err := getBucket(tx, r.bucket)
		if err != nil {
			return err
		}
		if bk.Settings == nil {
			bk.Settings = map[string]string{}
		}
		if bk.Deleted == nil {
			bk.Deleted = map[string]bool{}
		}
		if err := f(&bk); err != nil {
			return err
		}
		return buckets.Put(tx, bk.Name, bk)
	})
}

// getACL answers what every bucket has whose owner enforces ownership, which
// all have here: the owner has full control, nobody else has any.
func getACL(r *request) error {
	bk, err := r.find(r.bucket)
	if err != nil {
		return err
	}
	if r.key != "" {
		if _, _, err := r.lookup(r.bucket, r.key, r.query.Get("versionId")); err != nil {
			return err
		}
	}
	o := ownerOf(bk.Account)
	return r.writeDocument([]byte(xml.Header + `<AccessControlPolicy xmlns="` + namespace + `"><Owner><ID>` + o.ID + `</ID></Owner><AccessControlList><Grant>` +
		`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>` + o.ID + `</ID></Grantee>` +
		`<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`))
}

// putACL takes the one list that a bucket whose owner enforces ownership takes.
func putACL(r *request) error {
	if _, err := r.find(r.bucket); err != nil {
		return err
	}
	if acl := r.r.Header.Get("X-Amz-Acl"); acl != "private" && acl != "bucket-owner-full-control" {
		return noACL()
	}
	return r.writeStatus(http.StatusOK)
}

func noACL() error {
	return wire.Errorf("AccessControlListNotSupported", "The bucket does not allow ACLs")
}
