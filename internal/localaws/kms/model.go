package kms

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"engage/internal/localaws/state"
)

// key is what is kept of a key.
type key struct {
	ID, Account, Region string
	Description         string
	Spec, Usage         string // "" are SYMMETRIC_DEFAULT and ENCRYPT_DECRYPT
	Managed             bool   // by AWS: alias/aws/NAME
	Enabled             bool
	Created             time.Time
	DeletionDate        *time.Time `json:",omitempty"`
	Rotation            int        // period in days, 0 when the key does not rotate
	RotatedAt           time.Time  // when the newest material was made
	Materials           [][]byte   // wrapped, the newest last
	Rotations           []rotated  `json:",omitempty"` // when newer materials were made
	Policy              string
	Tags                map[string]string `json:",omitempty"`
}

// rotated is a change of a key's material.
type rotated struct {
	At     time.Time
	Demand bool // asked for, not due
}

type alias struct {
	Name, Account, Region string
	KeyID                 string
	Created, Updated      time.Time
}

type grant struct {
	ID, KeyID           string
	Name                string
	Grantee, Retiring   string
	Operations          []string
	ContextEquals       map[string]string `json:",omitempty"`
	ContextSubset       map[string]string `json:",omitempty"`
	Created             time.Time
	Token               string
	Account, KeyAccount string
}

// Keys are named by their id alone, which no other key of any account has:
// a ciphertext then needs no more to find its key.
var (
	keys    = state.NewCollection[key]("kms/keys")
	aliases = state.NewCollection[alias]("kms/aliases") // account, region, name
	grants  = state.NewCollection[grant]("kms/grants")  // key id, grant id
)

func (k key) arn() string { return "arn:aws:kms:" + k.Region + ":" + k.Account + ":key/" + k.ID }

func (a alias) arn() string { return "arn:aws:kms:" + a.Region + ":" + a.Account + ":" + a.Name }

func (k key) uuid() (id [16]byte) {
	hex.Decode(id[:], []byte(strings.ReplaceAll(k.ID, "-", ""))) //nolint:errcheck // ids are made by formatID
	return id
}

func (k key) state() string {
	switch {
	case k.DeletionDate != nil:
		return "PendingDeletion"
	case !k.Enabled:
		return "Disabled"
	}
	return "Enabled"
}

func formatID(raw [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

func (s *Service) newID() (string, error) {
	var raw [16]byte
	if _, err := io.ReadFull(s.cfg.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return formatID(raw), nil
}

// managedID is the id of the key behind alias/aws/NAME. It follows from the
// name, so that the permission check knows the key before its first use makes it.
func managedID(account, region, name string) string {
	sum := sha256.Sum256([]byte(state.Key("kms", account, region, name)))
	return formatID([16]byte(sum[:16]))
}

// isManaged reports whether an alias is one that AWS keeps for itself.
func isManaged(aliasName string) bool { return strings.HasPrefix(aliasName, "alias/aws/") }

// managedServices are those whose keys a first use makes.
var managedServices = []string{"s3", "sqs", "ssm", "secretsmanager", "lambda", "ecr", "logs", "glue", "dynamodb", "ebs", "sns"}
