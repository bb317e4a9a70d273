package s3

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"engage/internal/localaws/server"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

func benchmark(b *testing.B) (*Service, *sdk.Client) {
	store, err := state.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	svc, err := New(Config{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: store.Dir(), Services: []*wire.Service{svc.Service()}})
	if err != nil {
		b.Fatal(err)
	}
	if err := srv.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		srv.Shutdown(context.Background())
		svc.Close()
		store.Close()
	})
	client := sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: aws.String(srv.URL()), UsePathStyle: true, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	if _, err := client.CreateBucket(b.Context(), &sdk.CreateBucketInput{Bucket: aws.String("data")}); err != nil {
		b.Fatal(err)
	}
	return svc, client
}

func BenchmarkList100k(b *testing.B) {
	svc, client := benchmark(b)
	err := svc.store.Update(func(tx state.Tx) error {
		for i := range 100_000 {
			o := Object{summary{ID: newID(), Version: nullVersion, Seq: uint64(i), Size: 1234, ETag: newID(), Modified: 1_700_000_000_000,
				Checksums: map[string]string{"CRC32": "AAAAAA=="}, ChecksumType: "FULL_OBJECT"},
				detail{Headers: map[string]string{"Content-Type": "binary/octet-stream"}, SSE: Encryption{Algorithm: "AES256"}}}
			if err := current.Put(tx, state.Key("data", fmt.Sprintf("dt=2026-01-01/part-%06d.parquet", i)), o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n := 0
		pages := sdk.NewListObjectsV2Paginator(client, &sdk.ListObjectsV2Input{Bucket: aws.String("data")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			n += len(page.Contents)
		}
		if n != 100_000 {
			b.Fatalf("%d keys", n)
		}
	}
}

func BenchmarkPut64MB(b *testing.B) {
	_, client := benchmark(b)
	body := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := client.PutObject(b.Context(), &sdk.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: bytes.NewReader(body)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet64MB(b *testing.B) {
	_, client := benchmark(b)
	body := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	if _, err := client.PutObject(b.Context(), &sdk.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: bytes.NewReader(body)}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		out, err := client.GetObject(b.Context(), &sdk.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")})
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, out.Body); err != nil || n != int64(len(body)) {
			b.Fatal(n, err)
		}
		out.Body.Close()
	}
}

func BenchmarkPutSmall(b *testing.B) {
	svc, _ := benchmark(b)
	ctx, caller := b.Context(), wire.Root(wire.DefaultAccount, wire.DefaultRegion)
	i := 0
	for b.Loop() {
		i++
		if _, err := svc.Put(ctx, caller, "data", fmt.Sprintf("k%d", i), http.Header{}, strings.NewReader("hello")); err != nil {
			b.Fatal(err)
		}
	}
}
