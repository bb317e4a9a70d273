package wire

// Protocol is one of AWS's wire protocols.
type Protocol int

const (
	JSON11   Protocol = iota // https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
	JSON10                   // https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
	Query                    // https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
	EC2                      // https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
	RestJSON                 // https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
	RestXML                  // https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html, with S3's errors
)

var protocolNames = [...]string{"awsJson1_1", "awsJson1_0", "awsQuery", "ec2Query", "restJson1", "restXml"}

// String returns the protocol's Smithy name.
func (p Protocol) String() string { return protocolNames[p] }

// IsRPC reports whether operations are named in the request and not by method and path.
func (p Protocol) IsRPC() bool { return p < RestJSON }

func (p Protocol) family() family {
	return [...]family{familyJSON, familyJSON, familyQuery, familyEC2, familyREST, familyS3}[p]
}

func (p Protocol) contentType() string {
	switch p {
	case JSON11:
		return "application/x-amz-json-1.1"
	case JSON10:
		return "application/x-amz-json-1.0"
	case RestJSON:
		return "application/json"
	case RestXML:
		return "application/xml"
	}
	return "text/xml"
}
