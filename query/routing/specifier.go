package routing

import "strings"

// bySpecifier is a route whose cluster a plugin names: only a matcher tree can
// be followed.
func (c *choice) bySpecifier(action message, r *routed) {
	extension := action.sub("inlineClusterSpecifierPlugin").sub("extension")
	if name := action.text("clusterSpecifierPlugin"); name != "" {
		for _, p := range c.message(c.configuration).list("clusterSpecifierPlugins") {
			if e := p.sub("extension"); e.text("name") == name {
				extension = e
			}
		}
	}
	config := extension.sub("typedConfig")
	if !strings.HasSuffix(config.text("@type"), ".MatcherClusterSpecifier") {
		what := "cluster specifier"
		if name := extension.text("name"); name != "" {
			what += " " + name
		}
		c.unsupported(what)
		return
	}
	name := c.decide(config.sub("clusterMatcher"), r).sub("typedConfig").text("cluster")
	if name == "" {
		c.answer.DirectStatus = noCluster(action)
		return
	}
	c.one(name)
}
