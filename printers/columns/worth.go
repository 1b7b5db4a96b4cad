package columns

// Worth returns a rank of a column for the case that the terminal is too narrow
// for the table: columns with the lowest rank are left out first. least is the
// width below which the column's cells are not cut. It is 0 if the column has
// no special width.
func Worth(header string) (worth, least int) {
	switch header {
	case "SEVERITY", "CDS", "LDS", "EDS", "RDS", "STATE", "STATUS", "REASON", "KIND":
		return 90, 0
	case "NAME":
		return 100, 40
	case "ENDPOINT", "SERVICE FQDN", "ADDRESSES", "POD NAME", "POLICY NAME", "SUBJECT", "RESOURCE":
		return 100, 24
	case "PROXY":
		return 95, 24
	case "PORT", "MATCH", "DESTINATION", "GOES TO", "CLUSTER", "MESSAGE", "PATH", "EXPIRES IN", "ERROR", "ENVOY", "ISTIOD":
		return 80, 16
	case "SUBSET":
		return 75, 6
	case "VIRTUAL SERVICE", "VALID CERT", "HEALTH", "DESTINATION RULE", "SDS", "ECDS", "BEHIND":
		return 70, 14
	case "VHOST", "ENDPOINTS", "NOT AFTER":
		return 60, 16
	case "TYPE", "DIRECTION", "NDS", "PCDS", "WDS", "WADS":
		return 50, 0
	case "VERSION", "PILOT", "REVISION":
		return 30, 0
	case "DOMAINS", "SERIAL NUMBER", "NOT BEFORE", "TRUST DOMAIN", "LABELS", "UPDATED", "AGE", "CREATED":
		return 20, 0
	}
	return 55, 0
}
