package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// accountBlocks are the accounts' public access blocks, which hold for all of
// their buckets beside each bucket's own.
var accountBlocks = state.NewCollection[publicAccessBlock]("s3/account-blocks")

const (
	controlPath = "/v20180820/"
	blockPath   = controlPath + "configuration/publicAccessBlock"
	// accountHeader is what tells S3 Control's requests from those on a bucket
	// that has the path's name: both are signed alike.
	accountHeader = "X-Amz-Account-Id"
)

// Control returns the operations of S3 Control, for the server.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
func (s *Service) Control() *wire.Service {
	touches := func(action string) func(*wire.Call) []wire.Access {
		return func(call *wire.Call) []wire.Access {
			return []wire.Access{{Action: "s3:" + action, Resource: "*"}}
		}
	}
	return &wire.Service{
		Name: "s3control", SigningNames: []string{"s3"}, Protocol: wire.RestXML, WrapsErrors: true,
		Claims: func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Path, controlPath) && r.Header.Get(accountHeader) != ""
		},
		Operations: []wire.Operation{
			wire.Raw("GetPublicAccessBlock", http.MethodGet, blockPath, s.getAccountBlock, touches("GetAccountPublicAccessBlock")),
			wire.Raw("PutPublicAccessBlock", http.MethodPut, blockPath, s.putAccountBlock, touches("PutAccountPublicAccessBlock")),
			wire.Raw("DeletePublicAccessBlock", http.MethodDelete, blockPath, s.deleteAccountBlock, touches("PutAccountPublicAccessBlock")),
		},
	}
}

// controlled returns the account that a call is about, which is the caller's.
func controlled(call *wire.Call) (string, error) {
	if call.Header(accountHeader) != call.Caller.Account {
		return "", wire.AccessDenied("Access Denied")
	}
	return call.Caller.Account, nil
}

func (s *Service) getAccountBlock(_ context.Context, call *wire.Call, w http.ResponseWriter) error {
	account, err := controlled(call)
	if err != nil {
		return err
	}
	block, found, err := s.accountBlock(account)
	if err != nil {
		return err
	}
	if !found {
		return wire.StatusErrorf(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found").With("AccountId", account)
	}
	doc, err := block.document()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	_, err = w.Write(append([]byte(xml.Header), doc...))
	return err
}

func (s *Service) putAccountBlock(_ context.Context, call *wire.Call, w http.ResponseWriter) error {
	account, err := controlled(call)
	if err != nil {
		return err
	}
	doc, err := io.ReadAll(http.MaxBytesReader(w, call.HTTP.Body, maxXMLBody))
	if err != nil {
		return bodyError(err)
	}
	var block publicAccessBlock
	if xml.Unmarshal(doc, &block) != nil {
		return malformedXML()
	}
	err = s.store.Update(func(tx state.Tx) error { return accountBlocks.Put(tx, account, block) })
	if err == nil {
		w.WriteHeader(http.StatusOK)
	}
	return err
}

func (s *Service) deleteAccountBlock(_ context.Context, call *wire.Call, w http.ResponseWriter) error {
	account, err := controlled(call)
	if err != nil {
		return err
	}
	err = s.store.Update(func(tx state.Tx) error { return accountBlocks.Delete(tx, account) })
	if err == nil || errors.Is(err, state.ErrNotFound) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return err
}

// accountBlock returns an account's block, false when it has none.
func (s *Service) accountBlock(account string) (block publicAccessBlock, found bool, err error) {
	err = s.store.View(func(tx state.Tx) error {
		block, err = accountBlocks.Get(tx, account)
		return err
	})
	if errors.Is(err, state.ErrNotFound) {
		return block, false, nil
	}
	return block, err == nil, err
}

// publicAccess is what a bucket forbids or its account does.
func (s *Service) publicAccess(bk Bucket) (publicAccessBlock, error) {
	own := bk.publicAccess()
	all, _, err := s.accountBlock(bk.Account)
	return publicAccessBlock{
		BlockPublicAcls: own.BlockPublicAcls || all.BlockPublicAcls, IgnorePublicAcls: own.IgnorePublicAcls || all.IgnorePublicAcls,
		BlockPublicPolicy: own.BlockPublicPolicy || all.BlockPublicPolicy, RestrictPublicBuckets: own.RestrictPublicBuckets || all.RestrictPublicBuckets,
	}, err
}
