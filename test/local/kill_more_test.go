package local_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-containerregistry/pkg/authn"
	imagename "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// replacers write one thing over and over, or something of several parts.
var replacers = map[string]writer{
	"upload": func(ctx context.Context, c *sdk, n int) error {
		key := aws.String(fmt.Sprint("m", n%objectKeys))
		up, err := c.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(killed), Key: key})
		if err != nil {
			return err
		}
		part, err := c.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String(killed), Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader(objectBody(n))})
		if err != nil {
			return err
		}
		_, err = c.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String(killed), Key: key, UploadId: up.UploadId,
			MultipartUpload: &s3types.CompletedMultipartUpload{Parts: []s3types.CompletedPart{{ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32, PartNumber: aws.Int32(1)}}}})
		return err
	},
	"secret": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: aws.String(killed), SecretString: aws.String(fmt.Sprint(n))})
		return err
	},
	"parameter": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String(killed), Value: aws.String(fmt.Sprint(n)), Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true)})
		return err
	},
	"code": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(killed), ZipFile: codeZip(n)})
		return err
	},
	"item": func(ctx context.Context, c *sdk, n int) error {
		_, err := c.dynamo().PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(killed), Item: itemOf("one", n)})
		return err
	},
	"pair": func(ctx context.Context, c *sdk, n int) error {
		var writes []dynamotypes.TransactWriteItem
		for _, key := range []string{"left", "right"} {
			writes = append(writes, dynamotypes.TransactWriteItem{Put: &dynamotypes.Put{TableName: aws.String(killed), Item: itemOf(key, n)}})
		}
		_, err := c.dynamo().TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: writes})
		return err
	},
	"image": func(ctx context.Context, c *sdk, n int) error {
		ref, auth, err := registryOf(ctx, c, fmt.Sprint("t", n))
		if err == nil {
			err = remote.Write(ref, numbered(n), remote.WithContext(ctx), auth)
		}
		return err
	},
}

// furnishReplacers makes what they write to.
func furnishReplacers(ctx context.Context, c *sdk) {
	name := aws.String(killed)
	must(c.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: name, SecretString: aws.String("0")}))
	must(c.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: name, Value: aws.String("0"), Type: ssmtypes.ParameterTypeString}))
	must(c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: name}))
	must(c.dynamo().CreateTable(ctx, &dynamodb.CreateTableInput{TableName: name, BillingMode: dynamotypes.BillingModePayPerRequest,
		KeySchema: []dynamotypes.KeySchemaElement{hashKey("key")}, AttributeDefinitions: []dynamotypes.AttributeDefinition{keyAttribute("key", "S")}}))
	role := must(c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String(killed + "-function"), AssumeRolePolicyDocument: aws.String(trusts("lambda.amazonaws.com"))})).Role
	must(c.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: name, Role: role.Arn, Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: codeZip(0)}}))
}

// itemOf is the n-th item of a key: n, and text whose length depends on it.
func itemOf(key string, n int) attributes {
	return attributes{"key": str(key), "n": num(fmt.Sprint(n)), "text": str(string(objectBody(n)))}
}

// checkItems wants the last items, whole, and both of a pair or none.
func checkItems(ctx context.Context, c *sdk, l *ledger) {
	GinkgoHelper()
	numbers := map[string]int{"one": 0, "left": 0, "right": 0}
	for _, item := range must(c.dynamo().Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(killed), ConsistentRead: aws.Bool(true)})).Items {
		key := item["key"].(*dynamotypes.AttributeValueMemberS).Value
		n := must(strconv.Atoi(item["n"].(*dynamotypes.AttributeValueMemberN).Value))
		Expect(item).To(Equal(itemOf(key, n)), "item %s is torn", key)
		numbers[key] = n
	}
	checkLast("item", l, numbers["one"])
	checkLast("pair", l, numbers["left"])
	Expect(numbers["right"]).To(Equal(numbers["left"]), "half a transaction is there")
}

// codeZip is the n-th code of the function.
func codeZip(n int) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f := must(w.CreateHeader(&zip.FileHeader{Name: "bootstrap", Method: zip.Store}))
	must(f.Write(objectBody(n)))
	Expect(w.Close()).To(Succeed())
	return b.Bytes()
}

// numbered is the n-th image: one layer that has its number.
func numbered(n int) v1.Image {
	return must(mutate.AppendLayers(empty.Image, static.NewLayer(objectBody(n), types.OCIUncompressedLayer)))
}

// registryOf returns the name of a tag at the endpoint and the login for it.
func registryOf(ctx context.Context, c *sdk, tag string) (imagename.Reference, remote.Option, error) {
	login, err := c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, nil, err
	}
	text, err := base64.StdEncoding.DecodeString(*login.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		return nil, nil, err
	}
	_, password, _ := strings.Cut(string(text), ":")
	ref, err := imagename.ParseReference(strings.TrimPrefix(*c.config.BaseEndpoint, "http://")+"/"+killed+":"+tag, imagename.Insecure)
	return ref, remote.WithAuth(&authn.Basic{Username: "AWS", Password: password}), err
}

// checkReplacers wants the last acknowledged value of each, or a later one
// that was tried, and whole images.
func checkReplacers(ctx context.Context, c *sdk, l *ledger) {
	GinkgoHelper()
	checkLast("secret", l, must(strconv.Atoi(*must(c.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(killed)})).SecretString)))
	checkLast("parameter", l, must(strconv.Atoi(*must(c.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(killed)})).Parameter.Value)))
	checkItems(ctx, c, l)
	checkCode(ctx, c, l)
	checkImages(ctx, c, l)
}

func checkLast(name string, l *ledger, n int) {
	GinkgoHelper()
	last := 0
	if acked := l.acked[name]; len(acked) > 0 {
		last = acked[len(acked)-1]
	}
	Expect(n).To(And(BeNumerically(">=", last), BeNumerically("<=", l.tried[name])), "%s fell back, or was never written", name)
}

// checkCode finds out which code the function has, by its hash.
func checkCode(ctx context.Context, c *sdk, l *ledger) {
	GinkgoHelper()
	have := must(c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(killed)}))
	for n := l.tried["code"]; n >= 0; n-- {
		code := codeZip(n)
		if sum := sha256.Sum256(code); base64.StdEncoding.EncodeToString(sum[:]) == *have.CodeSha256 {
			Expect(have.CodeSize).To(BeEquivalentTo(len(code)))
			checkLast("code", l, n)
			return
		}
	}
	Fail("the function has a code that was never written: " + *have.CodeSha256)
}

// checkImages pulls the images that the last kill may have hit.
func checkImages(ctx context.Context, c *sdk, l *ledger) {
	GinkgoHelper()
	acked := l.acked["image"]
	for _, n := range acked[max(0, len(acked)-5):] {
		ref, auth, err := registryOf(ctx, c, fmt.Sprint("t", n))
		Expect(err).NotTo(HaveOccurred())
		image, err := remote.Image(ref, remote.WithContext(ctx), auth)
		Expect(err).NotTo(HaveOccurred(), "image %d was acknowledged and is lost", n)
		Expect(must(image.Digest())).To(Equal(must(numbered(n).Digest())))
		layer := must(must(image.Layers())[0].Compressed())
		Expect(bytes.Equal(must(io.ReadAll(layer)), objectBody(n))).To(BeTrue(), "image %d is torn", n)
		Expect(layer.Close()).To(Succeed())
	}
}
