package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"engage/internal/resource"
)

// Config is what a stack may set, under "engage:". Every member has a default.
type Config struct {
	Kind        resource.Kind `json:"-"`      // local or aws: which names and which safeguards
	Region      string        `json:"-"`      // aws:region
	Dist        string        `json:"dist"`   // directory that "task build" fills, from the project's root
	ImageTag    string        `json:"image"`  // tag of the workers' image; the default is the one that "task build" left in Dist
	NetworkCIDR string        `json:"cidr"`   // addresses of the network, a /16
	AlertEmail  string        `json:"alerts"` // who is told of failures; nobody if empty

	LogRetentionDays   int `json:"logRetentionDays"`   // of log groups
	AuditRetentionDays int `json:"auditRetentionDays"` // of what is locked in the audit bucket
	ScannedBytesLimit  int `json:"scannedBytesLimit"`  // an Athena query that would read more is stopped
	MonthlyBudgetUSD   int `json:"monthlyBudgetUSD"`   // above it, somebody is told

	ModelVersion string `json:"modelVersion"` // version that the scheduled runs train and score
	Seed         int    `json:"seed"`         // seed of the scheduled runs
	Schedules    bool   `json:"schedules"`    // start runs by themselves, daily and weekly

	Options Options `json:"options"`
}

// Options are what the requirements name and most accounts need not pay for: all
// are off by default. Prices are list prices of us-east-1 for what one month of
// it costs at rest, November 2026.
type Options struct {
	NetworkFirewall bool   `json:"networkFirewall"` // inspects packets: 865 USD (three endpoints at 0.395 an hour)
	Macie           bool   `json:"macie"`           // looks for personal data in S3: 0.10 a bucket, 1.00 a GB examined
	ShieldAdvanced  bool   `json:"shieldAdvanced"`  // against floods: 3,000 USD, for a year at least
	CloudHSM        bool   `json:"cloudHSM"`        // keys in hardware of one's own: 2,336 USD (two modules at 1.60 an hour)
	ReplicaRegion   string `json:"replicaRegion"`   // copies models and results to another region: 0.02 a GB moved, and the storage again
}

// Defaults returns the configuration that a stack which sets nothing has.
func Defaults(kind resource.Kind) Config {
	c := Config{
		Kind: kind, Region: "us-east-1", Dist: "dist", NetworkCIDR: "10.20.0.0/16",
		LogRetentionDays: 365, AuditRetentionDays: 2557, ScannedBytesLimit: 10 << 30, MonthlyBudgetUSD: 500,
		ModelVersion: resource.FirstVersion.Short(), Seed: 42, Schedules: true,
	}
	if kind == resource.Local { // nothing waits for a run there, and a stack must be easy to delete
		c.AuditRetentionDays, c.Schedules = 1, false
	}
	return c
}

// ConfigError says everything that is wrong with a configuration.
type ConfigError struct{ Problems []string }

// Error lists the problems on one line.
func (e *ConfigError) Error() string {
	return "the stack's configuration cannot be used: " + strings.Join(e.Problems, "; ") + "; set with \"pulumi config set --path engage:settings.NAME VALUE\""
}

// Load reads the configuration of the stack that is being deployed. Errors:
// *ConfigError.
func Load(ctx *pulumi.Context) (Config, error) {
	kind, problems := kindOf(ctx)
	cfg := Defaults(kind)
	if text := config.Get(ctx, "engage:settings"); text != "" {
		if err := settle(&cfg, text); err != nil {
			problems = append(problems, "engage:settings: "+strings.TrimPrefix(err.Error(), "json: "))
		}
	}
	if region := config.Get(ctx, "aws:region"); region != "" {
		cfg.Region = region
	}
	if !filepath.IsAbs(cfg.Dist) {
		cfg.Dist = filepath.Join(ctx.RootDirectory(), cfg.Dist)
	}
	if cfg.ImageTag == "" {
		cfg.ImageTag = builtTag(cfg.Dist)
	}
	problems = append(problems, cfg.problems()...)
	if len(problems) > 0 {
		return Config{}, &ConfigError{Problems: problems}
	}
	return cfg, nil
}

// kindOf returns what the stack says that it is: by "engage:environment", or by
// its name, where every stack but "local" is AWS's.
func kindOf(ctx *pulumi.Context) (kind resource.Kind, problems []string) {
	switch said := resource.Kind(config.Get(ctx, "engage:environment")); said {
	case resource.Local, resource.AWS:
		return said, nil
	case "":
		if ctx.Stack() == string(resource.Local) {
			return resource.Local, nil
		}
		return resource.AWS, nil
	default:
		return resource.AWS, []string{fmt.Sprintf("engage:environment: %q is neither %q nor %q", said, resource.Local, resource.AWS)}
	}
}

// settle sets what a JSON document gives, and refuses what it does not know.
func settle(cfg *Config, text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(cfg); err != nil {
		return err
	}
	if d.More() {
		return errors.New("there is more after the end of the document")
	}
	return nil
}

// Validate returns a *ConfigError that lists every problem of c, or nil.
func (c Config) Validate() error {
	if problems := c.problems(); len(problems) > 0 {
		return &ConfigError{Problems: problems}
	}
	return nil
}

// retentions are the days that CloudWatch Logs knows.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (c Config) problems() []string {
	var out []string
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	block, err := netip.ParsePrefix(c.NetworkCIDR)
	refuse(err != nil || !block.Addr().Is4() || block.Bits() != 16 || !block.Addr().IsPrivate() || block != block.Masked(),
		"cidr: %q is no private IPv4 block of 16 bits, such as 10.20.0.0/16", c.NetworkCIDR)
	_, err = mail.ParseAddress(c.AlertEmail)
	refuse(c.AlertEmail != "" && err != nil, "alerts: %q is no mail address", c.AlertEmail)
	refuse(!slices.Contains(retentions, c.LogRetentionDays), "logRetentionDays: %d is not one of %v", c.LogRetentionDays, retentions)
	refuse(c.AuditRetentionDays < 1 || c.AuditRetentionDays > 36500, "auditRetentionDays: %d is not from 1 to 36500", c.AuditRetentionDays)
	refuse(c.ScannedBytesLimit < 10<<20, "scannedBytesLimit: %d is below Athena's least, 10485760", c.ScannedBytesLimit)
	refuse(c.MonthlyBudgetUSD < 1, "monthlyBudgetUSD: %d is not above 0", c.MonthlyBudgetUSD)
	_, err = resource.ParseVersion(c.ModelVersion)
	refuse(err != nil, "modelVersion: %v", err)
	refuse(c.Seed < 0, "seed: %d is below 0", c.Seed)
	refuse(c.ImageTag == "", "image: %s has no image/tag; run \"task build\"", c.Dist)
	refuse(c.ImageTag == "latest", "image: give a tag of its own; %q moves", c.ImageTag)
	refuse(!isRegion(c.Region), "aws:region: %q does not look like us-east-1", c.Region)
	replica := c.Options.ReplicaRegion
	refuse(replica != "" && !isRegion(replica), "options.replicaRegion: %q does not look like us-east-1", replica)
	refuse(replica != "" && replica == c.Region, "options.replicaRegion: %q is the stack's own region", replica)
	return append(out, missing(c.Dist)...)
}

func isRegion(code string) bool {
	return resource.Environment{Kind: resource.AWS, Account: "000000000000", Region: code}.Validate() == nil
}

// missing names what a build should have left and did not.
func missing(dist string) []string {
	var out []string
	for _, f := range PipelineFunctions() {
		if _, err := os.Stat(archive(dist, f)); err != nil {
			out = append(out, filepath.Base(archive(dist, f)))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("dist: %s has no %s; run \"task build\"", dist, strings.Join(out, ", "))}
}

// builtTag returns the tag that a build gave to the workers' image; none if
// there is no build.
func builtTag(dist string) string {
	text, err := os.ReadFile(filepath.Join(dist, "image", "tag"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// archive is where a build leaves the zip of a function.
func archive(dist string, f resource.Function) string {
	return filepath.Join(dist, "lambda", string(f)+".zip")
}
