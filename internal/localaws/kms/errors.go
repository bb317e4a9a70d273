package kms

import "engage/internal/localaws/wire"

func errNotFound(format string, args ...any) error {
	return wire.Errorf("NotFoundException", format, args...)
}

// errInvalidCiphertext says no more, as AWS does not: a reason would help to forge one.
func errInvalidCiphertext() error {
	return wire.Errorf("InvalidCiphertextException", "")
}

func errIncorrectKey() error {
	return wire.Errorf("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
}

func errDryRun() error {
	return wire.StatusErrorf(412, "DryRunOperationException", "The request would have succeeded, but the DryRun parameter was set.")
}

// usable refuses a key that cannot do cryptography now.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func (k key) usable() error {
	switch {
	case k.DeletionDate != nil:
		return k.pendingDeletion()
	case !k.Enabled:
		return wire.Errorf("DisabledException", "%s is disabled.", k.arn())
	}
	return nil
}

func (k key) pendingDeletion() error {
	return wire.Errorf("KMSInvalidStateException", "%s is pending deletion.", k.arn())
}

// alive refuses a key that awaits its deletion.
func (k key) alive() error {
	if k.DeletionDate != nil {
		return k.pendingDeletion()
	}
	return nil
}

// customer refuses a key that AWS manages.
func (k key) customer(what string) error {
	if k.Managed {
		return wire.AccessDenied("%s is an AWS managed key: %s is not allowed", k.arn(), what)
	}
	return nil
}
