package runs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"

	"engage/internal/resource"
)

// Uploader puts objects.
type Uploader interface {
	UploadObject(context.Context, *transfermanager.UploadObjectInput, ...func(*transfermanager.Options)) (*transfermanager.UploadObjectOutput, error)
}

// manifestFile describes a data set. It is uploaded last: where it is, the rest
// is too.
const manifestFile = "dataset.json"

// Upload puts files of a data set's directory under the landing prefix, in a
// folder of the data set's own, and returns the folder as a run's input names
// it. Putting one data set twice is putting it once.
func (c Client) Upload(ctx context.Context, to Uploader, dir, name string, files []string, tell func(file string)) (string, error) {
	prefix := name + "/"
	for _, file := range append(files, manifestFile) {
		tell(file)
		if err := c.put(ctx, to, filepath.Join(dir, file), resource.Landing.Key(prefix+file)); err != nil {
			return "", fmt.Errorf("upload %s: %w", file, err)
		}
	}
	return prefix, nil
}

func (c Client) put(ctx context.Context, to Uploader, path, key string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = to.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: aws.String(c.Environment.Bucket(resource.Landing.Bucket)), Key: &key, Body: f})
	return err
}
