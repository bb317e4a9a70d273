package plane

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Every overlay names properties that the SDK has: a wrong one panics.
func TestKindsAreWellFormed(t *testing.T) {
	kinds := Kinds(Config{AWS: aws.Config{Region: "us-east-1"}, Partition: "aws", Account: "000000000000"})
	for _, k := range kinds {
		if k.Plane == nil {
			t.Errorf("%s has no plane", k.Token)
		}
	}
}
