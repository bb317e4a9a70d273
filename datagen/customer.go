package datagen

import (
	"math"
	"math/rand/v2"

	"engage/datagen/philox"
	"engage/internal/schema"
)

// customer is what is observed of one customer, as it is written: rounded and
// within range. Enumerated values are indices into the lists of schema.
type customer struct {
	Age                    int64
	Gender, Home, Device   uint8
	Premium                bool
	Logins, Session        float64
	Messages               float64
	Events, NewTies        int64
	Influencers            float64
	Recency                int64
	Risk                   float64
	Posts                  int64 // reactions, comments and virality are missing without posts
	Reactions, Comments    float64
	Virality               float64
	Scroll, Clicks, Groups float64
	PremiumUse, Ads        float64
	PremiumCount           int64
	Influence              float64
	Dates                  bool // match and like rates are missing otherwise
	Match, Likes           float64
	Views                  int64
	Applications, Listings int64
	Revenue                float64
	Earner                 bool // rating and first transaction are missing otherwise
	Rating                 float64
	FirstDeal              int64
	Ties                   int64
	Centrality             float64
	Writes                 bool // sentiment is missing otherwise
	Mood                   float64
	Messaged               bool // response time is missing otherwise
	Response               float64
	PeakHour               int64
	Category               uint8
	Diversity              float64
	Referrals              int64
	Consistency, Trend     float64
	Trust                  float64
}

// chance is everything random about one customer: the same chance with another
// plan gives the customer's counterfactual twin.
type chance struct {
	own        [behaviourCount]float64    // N(0, 1), one a behaviour
	interest   [len(categoryPull)]float64 // standard Gumbel, one a content category
	days       [7]float64                 // N(0, 1), noise of the last seven days
	week       float64                    // phase of the customer's weekly cycle, in days
	weekly     float64                    // strength of that cycle
	away, home float64                    // uniform: whether and where outside the community's state
	spike      float64                    // uniform: whether activity peaks at midday
}

func (p *Population) chanceOf(row int) chance {
	source := philox.New(p.seed, forFeatures, uint64(row))
	normal := rand.New(&source)
	var c chance
	for i := range c.own {
		c.own[i] = normal.NormFloat64()
	}
	for i := range c.interest {
		c.interest[i] = -math.Log(-math.Log(source.Uniform()))
	}
	for i := range c.days {
		c.days[i] = normal.NormFloat64()
	}
	c.week, c.weekly = 7*source.Uniform(), math.Abs(normal.NormFloat64())
	c.away, c.home, c.spike = source.Uniform(), source.Uniform(), source.Uniform()
	return c
}

// person is a customer's place in the model: what does not depend on the plan.
type person struct {
	traits     traits
	community  *community
	ties       int
	centrality float64
}

func (p *Population) personOf(row int) person {
	node := p.order.at(row)
	c := p.communities.of(node)
	return person{p.traitsOf(node, c), c, p.graph.Degree(node), float64(p.centrality[node])}
}

// choosesPremium says which plan the customer is on.
func (q *person) choosesPremium(c *chance) bool {
	return plan.score(&q.traits, 0, 0, c.own[plan]) > premiumCut
}

// Scores above which something holds of a customer.
var (
	premiumCut = score(1 - premiumShare)
	datingCut  = score(1 - datingShare)
	earnerCut  = score(1 - earnerShare)
	earningCut = score(1 - earningShare)
	quietCut   = score(quietShare)
)

// observe makes the customer under a plan.
func (q *person) observe(c *chance, premium bool) customer {
	o := customer{Premium: premium, Ties: int64(q.ties), Centrality: round(q.centrality, 1e6)}
	p, matching := 0.0, 0.0
	if premium {
		p = 1
	}
	if o.Dates = dating.score(&q.traits, 0, 0, c.own[dating]) > datingCut; o.Dates {
		matching = match.score(&q.traits, p, 0, c.own[match])
		o.Match = round(shapes.match.at(matching), 1e4)
		o.Likes = round(shapes.likes.at(likes.score(&q.traits, 0, 0, c.own[likes])), 1e4)
	}
	z := func(b behaviour) float64 { return b.score(&q.traits, p, matching, c.own[b]) }
	q.identity(&o, c, z)
	q.usage(&o, c, z)
	q.publishing(&o, z)
	q.working(&o, z)
	q.standing(&o, c, z)
	o.Risk = riskScore(&o, c.own[risk])
	return o
}

// identity fills what a customer is rather than does.
func (q *person) identity(o *customer, c *chance, z func(behaviour) float64) {
	o.Age = int64(shapes.age.at(z(age)))
	o.Gender = pickByScore(shapes.gender, z(gender))
	o.Device = pickByScore(shapes.device, z(device))
	o.Home = q.community.home
	if c.away < awayShare {
		o.Home = states.pick(c.home)
	}
}

// awayShare is the share of a community that may live outside its home state.
const awayShare = 0.40

// usage fills how the app is used.
func (q *person) usage(o *customer, c *chance, z func(behaviour) float64) {
	o.Recency = min(shapes.recency.at(z(recency)), 365)
	present := presence(o.Recency)
	o.Logins = round(present*min(shapes.logins.at(z(logins)), 50), 100)
	o.Session = sessionLength(min(shapes.sessions.at(z(sessions)), 240), o.Logins)
	if score := z(messages); score > quietCut {
		o.Messages = round(present*min(shapes.messages.at(score), 500), 100)
		o.Messaged = o.Messages > 0
	}
	o.Events = scaled64(present, min(shapes.events.at(z(events)), 60))
	o.NewTies = min(scaled64(present, min(shapes.newTies.at(z(newTies)), 500)), o.Ties)
	o.Scroll = round(100*shapes.scroll.at(z(scroll)), 100)
	o.Clicks = round(shapes.clicks.at(z(clicks)), 1e4)
	o.Groups = round(shapes.groups.at(z(groups)), 1e4)
	o.Consistency = round(shapes.consistency.at(z(consistency)), 1e4)
	o.Influencers = round(shapes.influencers.at(z(influencers)), 1e4)
	o.Ads = round(shapes.ads.at(z(ads)), 1e4)
	if o.Premium {
		o.PremiumUse = max(1e-4, round(shapes.premiumUse.at(z(premiumUse)), 1e4))
		o.PremiumCount = max(1, min(shapes.premiumCount.at(z(premiumCount)), 20))
	}
	if o.Messaged {
		o.Response = round(min(shapes.response.at(z(response)), 168), 100)
	}
	o.PeakHour = peakHour(z(chronotype), c.spike)
	if o.Recency < schema.TrendWindowDays {
		o.Trend = weekSlope(z(drift), c)
	}
}

// presence is the share of the activity window before the last login.
func presence(recency int64) float64 {
	return max(0, 1-float64(recency)/schema.ActivityWindowDays)
}

// scaled64 takes a share of a count, rounded.
func scaled64(share float64, count int64) int64 { return int64(math.Round(share * float64(count))) }

// sessionLength keeps the time online a day possible.
func sessionLength(minutes, logins float64) float64 {
	if logins*minutes > schema.MaxDailyMinutes {
		minutes = schema.MaxDailyMinutes / logins
	}
	return round(minutes, 100)
}

// publishing fills what the customer posts and how it is received.
func (q *person) publishing(o *customer, z func(behaviour) float64) {
	if o.Posts = scaled64(presence(o.Recency), min(shapes.posts.at(z(posts)), 200)); o.Posts > 0 {
		o.Reactions = round(min(shapes.reactions.at(z(reactions)), 10000), 100)
		o.Comments = round(min(shapes.comments.at(z(comments)), 2000), 100)
		o.Virality = round(shapes.virality.at(z(virality)), 1e4)
	}
	if o.Writes = o.Posts > 0 || o.Messages > 0; o.Writes {
		o.Mood = round(lowestMood+(highestMood-lowestMood)*shapes.mood.at(z(mood)), 1e4)
	}
}

// Sentiment averages stay away from the ends of the scale.
const lowestMood, highestMood = -0.8, 0.9

// working fills the gig marketplace.
func (q *person) working(o *customer, z func(behaviour) float64) {
	o.Applications = min(shapes.applications.at(z(applications)), 200)
	o.Listings = min(shapes.listings.at(z(listings)), 100)
	if o.Earner = z(earner) > earnerCut; !o.Earner {
		return
	}
	o.Rating = round(1+4*shapes.rating.at(z(rating)), 100)
	o.FirstDeal = min(int64(min(shapes.firstDeal.at(z(firstDeal)), 3650)), (o.Age-schema.WorkingAge)*schema.DaysPerYear)
	if z(earning) > earningCut {
		o.Revenue = round(min(shapes.revenue.at(z(revenue)), 50000), 100)
	}
}

// Of the logarithm of 1 + degree: typical value and spread.
const typicalTies, tiesSpread = 2.45, 0.75

// standing fills how others see the customer, and what the customer likes.
func (q *person) standing(o *customer, c *chance, z func(behaviour) float64) {
	size := (math.Log1p(float64(o.Ties)) - typicalTies) / tiesSpread
	o.Influence = round(logistic(-1.0+0.8*size+0.5*z(influence)), 1e4)
	o.Views = min(shapes.views.at(z(views)), 100000)
	o.Referrals = min(shapes.referrals.at(z(referrals)), 1000)
	o.Trust = round(shapes.trust.at(z(trust)), 1e4)
	o.Category, o.Diversity = interests(&q.traits, c)
}

// riskScore is what the retention team's rules say: a function of behaviour.
func riskScore(o *customer, own float64) float64 {
	x := -1.1 + 0.035*float64(min(o.Recency, 60)) - 0.45*(math.Log1p(o.Logins)-1.4) - 6*o.Trend + 0.5*own
	if o.Writes {
		x -= 0.5 * o.Mood
	}
	return round(logistic(x), 1e4)
}

// The daily cycle: most peaks lie around the evening, earlier or later by
// chronotype; some lie at midday. Hours, and their spread.
const (
	eveningHour, eveningSpread = 19.0, 3.2
	middayHour, middaySpread   = 12.5, 1.2
	middayShare                = 0.22
)

func peakHour(z, spike float64) int64 {
	hour := eveningHour + eveningSpread*z
	if spike < middayShare {
		hour = middayHour + middaySpread*z
	}
	return int64(math.Mod(math.Floor(hour)+48, 24))
}

// The weekly cycle and the drift of daily activity, as shares of a day's activity.
const (
	weeklyStrength = 0.05
	driftPerDay    = 0.010
	dayNoise       = 0.03
)

// weekSlope is the least-squares slope of seven days of activity, which follow a
// drift, the customer's own weekly cycle and noise.
func weekSlope(z float64, c *chance) float64 {
	slope := 0.0
	for d, own := range c.days {
		day := float64(d) - 3 // centred: the sum of squares is 28
		cycle := weeklyStrength * c.weekly * math.Cos(2*math.Pi*(float64(d)-c.week)/7)
		slope += day * (driftPerDay*z*day + cycle + dayNoise*own)
	}
	return round(max(-1, min(slope/28, 1)), 1e5)
}

// categoryPull says which trait draws to each category of schema.Categories.
var categoryPull = [...]struct {
	trait  int
	weight float64
}{
	{commerce, 0.5}, {affluence, 0.3}, {affluence, 0.5}, {activity, 0.4}, {creation, 0.4}, {activity, 0.5},
	{creation, 0.3}, {creation, 0.5}, {activity, 0.3}, {commerce, 0.6}, {affluence, -0.3}, {sociability, 0.4},
}

// interestSharpness divides the pull of categories: the lower, the more a
// customer keeps to one.
const interestSharpness = 1.2

// interests returns the category with most time and the Shannon entropy, in
// bits, of the customer's time over all of them (a softmax of Gumbel utilities).
func interests(t *traits, c *chance) (uint8, float64) {
	var utility [len(categoryPull)]float64
	best := 0
	for k, pull := range categoryPull {
		utility[k] = (pull.weight*t[pull.trait] + c.interest[k]) / interestSharpness
		if utility[k] > utility[best] {
			best = k
		}
	}
	sum, weighted := 0.0, 0.0
	for _, u := range utility {
		e := math.Exp(u - utility[best])
		sum += e
		weighted += e * (u - utility[best])
	}
	entropy := (math.Log(sum) - weighted/sum) / math.Ln2
	return uint8(best), round(entropy, 1e4)
}

// pickByScore chooses by a normal score, so that the choice follows the traits.
func pickByScore(c choice, z float64) uint8 { return c.pick(normalCDF(z)) }

func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// round keeps 1/unit: what is written, and what the targets are made from.
func round(x, unit float64) float64 { return math.Round(x*unit) / unit }
