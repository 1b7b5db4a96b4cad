package redact

import "github.com/meshq/kubectl-meshq/sources/envoy"

// A Row assigns a class to the text of some fields, with the reason.
type Row struct {
	Class Class

	// Of lists the fields by their names in the schemas. "name" means this field in
	// every message. "HeaderValue:value" means this field in messages of this name,
	// and takes precedence over the first form. A row of the first form doesn't
	// apply to a field whose values are messages, since these have rows for their
	// own fields. A row of the second form does: it applies to everything inside
	// the field.
	Of     string
	Reason string
}

// Rows returns the whole table: the class of each listed field, and the reason.
func Rows() []Row {
	return []Row{
		{Kept, `name names namespace namespaces group kind api_version version version_info system_version_info resource_version generate_name id uid
			cluster cluster_name clusters cluster_names default_cluster upstream_cluster collector_cluster tcp_cluster_name catch_all_cluster
			local_cluster_name service_name service services eds_service_name cluster_service_name alt_stat_name stat_prefix stats_prefix
			rules_stat_prefix shadow_rules_stat_prefix route_config_name route_name route_configuration_name filter_name
			filter_chain_name listener listener_filter lb_policy_name cluster_specifier_plugin extension_name provider_name metadata_namespace
			filter_state_objects_to_log resource_names resource_name target_names type_url type_urls instance_name certificate_name
			plugin_name config_id per_route_config_name required_cluster_name leds_collection_name allowed_route_names key factory_key
			metadata_key tag_name metric_name endpoint_name udp_listener_name server_listener_name
			matcher_name validator_name transport_socket_name health_checker_name formatter_name tracer_name sink_name logger_name log_name
			metadata_context_namespaces typed_metadata_context_namespaces override_metadata_namespace runtime_key runtime_key_prefix field
			descriptor_key category observability_name object_key tag subset subsets fallback_keys_subset keys prefetch_secret_names requirement_name claim_name`,
			"names that the schemas give to parts of a configuration, or by which one part refers to another"},
		{Kept, `hosts host hostname hostnames server_names server_name sni sni_hosts authority host_rewrite host_rewrite_literal
			host_redirect target_host proxy_host host_name external_name dns dns_names searches subdomain subject_alt_names
			domains domain trust_domain trust_domains trust_domain_aliases default_host_for_http_10 allowed_redirect_domains`,
			"names of hosts: what a request or a connection is routed by"},
		{Kept, `address addresses address_prefix address_suffix ip ip_address
			 load_balancer_source_ranges ip_blocks remote_ip_blocks source_ip destination_subnets
			source_subnet from_cidr bind default_endpoint ports port named_port port_name target_port destination_ports source_ports
			local_address nameservers hostIP podIP clusterIP clusterIPs podCIDR podCIDRs externalIPs
			loadBalancerIP EnvoyInternalAddress:endpoint_id addresses:value ip_families ip_family_policy address_type`,
			"addresses and ports"},
		{URL, `path paths field_path path_prefix prefix_rewrite path_rewrite path_redirect replace_prefix_match replace_full_path path_template
			path_template_rewrite path_separated_prefix post_path path_override original_path uri url server_uri server_urls jwks_uri
			spiffe_bundle_url filename log_path config_path binary_path cache_path access_log_path access_log admin_address_path
			event_log_path mount_path sub_path working_dir socket_path collector_endpoint zipkin_address
			discovery_address target_uri default_file subject_token_path token_exchange_service_uri symlink_root subdirectory
			override_subdirectory custom_config_file proxy_bootstrap_template_path image imageID termination_message_path documentation_url pipe`,
			"paths of requests and of files, places of services and images"},
		{Kept, `type status reason phase protocol scheme scheme_redirect action mode state operator method methods allow_methods upgrade_type
			retry_on alpn_protocols application_protocols transport_protocol cipher_suites ecdh_curves signature_algorithms level log_level
			component_log_level resource_type client_features disabled_extensions condition_type effect restart_policy image_pull_policy
			pull_policy dns_policy qos_class session_affinity internal_traffic_policy external_traffic_policy traffic_distribution app_protocol
			preemption_policy priority_class_name scheduler_name node_name nominated_node_name service_account service_account_name
			termination_message_policy topology_key when_unsatisfiable max_supported_protocol_version lb_policy fallback_policy
			workload_type network_mode visibility scope ip_mode medium volume_mode access_modes storage_class_name resource
			container_name operating_system architecture kubelet_version kernel_version container_runtime_version
			os_image kube_proxy_version controller_name gateway_class_name section_name apiGroup grpc_status http2_error
			status_on_error proxy_version image_type ingress_class ingress_service ingress_selector availability_zone
			 secret_name volume_name credential_name credential_names ca_cert_credential_name
			network region zone sub_zone locality from to export_to default_service_export_to
			default_virtual_service_export_to default_destination_rule_export_to root_namespace mesh_id service_cluster service_node
			service_zone failover_priority default_providers tracing metrics access_logging gateways gateway outbound_cluster_stat_name
			inbound_cluster_stat_name user_agent_name user_agent_version hot_restart_version base_id build_version`,
			"enumerations and policies that the schemas hold as text"},
		{Kept, `request_headers_to_remove response_headers_to_remove remove remove_headers headers_to_remove header_name http_header_name header
			headers_to_upstream_on_allow headers_to_downstream_on_deny headers_to_downstream_on_allow include_request_headers_in_check
			include_headers_in_check additional_request_headers_to_log additional_response_headers_to_log cluster_header host_rewrite_header
			auto_host_rewrite_header allow_headers expose_headers allow_origin claim header_prefix query_parameter_name
			http_query_parameter_name request_headers_for_tags internal_only_headers forward_payload_header query_parameters_to_remove
			ignored_query_parameters from_params allowed_headers allowed_response_headers allow_origins output_payload_to_header
			override_auto_sni_header kill_request_header`,
			"names of headers and parameters"},
		{Kept, `issuer audiences audience subject_token_type scopes principals request_principals not_principals not_request_principals
			service_accounts not_service_accounts not_namespaces not_trust_domains not_methods not_hosts not_ports not_ip_blocks
			not_remote_ip_blocks principal_name serial_number valid_from expiration_time verify_certificate_spki verify_certificate_hash
			verify_subject_alt_name last_updated last_update_attempt sha256 creation_timestamp creation_time last_transition_time
			observed_generation nonce response_nonce timeouts:request timeouts:backendRequest retry:backoff absoluteTimeout idleTimeout`,
			"identities, fingerprints of certificates, times"},
		{URL, "not_paths", "paths of requests"},
		{Kept, `manager operation subresource fields_type providerID bootID machineID systemUUID containerID finalizers`, "Kubernetes' own marks of objects"},

		{URL, `StringMatch:exact StringMatch:prefix StringMatcher:exact StringMatcher:prefix RouteMatch:prefix RouteMatch:path
			matches.path:value`,
			"beginnings of paths, hosts, identities; below a matcher of headers or parameters, as the rows of those say"},
		{Kept, `StringMatch:regex StringMatcher:suffix
			StringMatcher:contains RegexMatcher:regex RouteMatch:regex RegexRewrite:match
			RegexRewrite:rewrite PathMatcher:path CidrRange:address_prefix ZtunnelText:Exact ZtunnelText:Prefix ZtunnelText:Suffix
			ZtunnelText:exact ZtunnelText:prefix ZtunnelText:suffix CorsPolicy:allow_origin_regex 
			RegexMatchAndSubstitute:substitution ProxyStatsMatcher:inclusion_prefixes ProxyStatsMatcher:inclusion_suffixes
			ProxyStatsMatcher:inclusion_regexps`,
			"patterns of hosts, paths and identities; below a matcher of headers or parameters, as the rows of those say"},
		{Naming, `EnvVar:name HeaderMatcher:name QueryParameterMatcher:name Condition:key matches.headers:name matches.queryParams:name`,
			"names of variables, headers and parameters, which decide about the values beside them"},
		{Matched, `HeaderMatcher:exact_match HeaderMatcher:prefix_match HeaderMatcher:suffix_match HeaderMatcher:contains_match
			HeaderMatcher:regex_match HeaderMatcher:string_match HeaderMatcher:safe_regex_match 
			QueryParameterMatcher:value QueryParameterMatcher:string_match HTTPMatchRequest:headers HTTPMatchRequest:without_headers
			HTTPMatchRequest:query_params Condition:values Condition:not_values matches.headers:value matches.queryParams:value`,
			"what headers and query parameters are matched with"},
		{Owning, "MetadataMatcher:filter FilterStateMatcher:key", "whose metadata is looked at: Istio's identities and claims are compared with what was asked for"},
		{Matched, "MetadataMatcher:value FilterStateMatcher:string_match", "what metadata is matched with: only Istio's, and as a header's"},
		{Matched, "SinglePredicate:value_match MatchMap:map answers.Match:~ Fragment:string_key", "what trees of matchers lead by, labels of endpoints, what scopes of routes are found by"},
		{Matched, "TransportSocketMatch:match", "labels of endpoints that choose how to connect to them"},
		{Action, "OnMatch:action", "what a tree of matchers chooses: of a text, the name of a filter chain"},
		{Label, `labels answers.Endpoint:Labels match_labels LABELS selector nodeSelector source_labels
			LabelSelectors ServiceAttributes:Labels NodeSelectorRequirement:values LabelSelectorRequirement:values deprecatedTopology`,
			"labels and what selects by them"},
		{Kept, `annotation/sidecar.istio.io/status annotation/sidecar.istio.io/inject annotation/istio.io/rev
			annotation/ambient.istio.io/redirection annotation/istio.io/waypoint-for annotation/networking.istio.io/exportTo`,
			"Istio's own marks among the annotations: which containers it added, in which revision"},
		{Kept, "NetworkPolicySpec:policyTypes NetworkPolicyPort:port NetworkPolicyPort:protocol IPBlock:cidr IPBlock:except",
			"which connections a NetworkPolicy lets through"},
		{Kept, `SimpleMetric:value Taint:value Toleration:value Endpoint:Addresses `, "numbers, and marks of nodes"},

		{Kept, `IstioMetadata:config IstioMetadata:subset IstioMetadata:workload IstioMetadata:alpn_override IstioMetadata:alpn
			IstioMetadata:canonical_service Tunnel:local Tunnel:tunnel Tunnel:waypoint`,
			"what Istio says in Envoy's metadata of where a part comes from"},
		{Kept, `NodeMetadata:APP_CONTAINERS NodeMetadata:CLUSTER_ID NodeMetadata:DNS_CAPTURE NodeMetadata:DNS_AUTO_ALLOCATE
			NodeMetadata:DNS_PROXY_ADDR NodeMetadata:GENERATOR NodeMetadata:HTTP10 NodeMetadata:IDLE_TIMEOUT NodeMetadata:INSTANCE_IPS
			NodeMetadata:INTERCEPTION_MODE NodeMetadata:ISTIO_PROXY_SHA NodeMetadata:ISTIO_PROXY_VERSION NodeMetadata:ISTIO_VERSION
			NodeMetadata:MESH_ID NodeMetadata:NAME NodeMetadata:NAMESPACE NodeMetadata:NETWORK NodeMetadata:NODE_NAME NodeMetadata:OWNER
			NodeMetadata:PROXY_VIA_AGENT NodeMetadata:RAW_VM NodeMetadata:REQUESTED_NETWORK_VIEW NodeMetadata:ROUTER_MODE
			NodeMetadata:SERVICE_ACCOUNT NodeMetadata:STAT_PREFIX NodeMetadata:UNPRIVILEGED_POD NodeMetadata:WORKLOAD_NAME
			NodeMetadata:ENABLE_HBONE NodeMetadata:DISABLE_HBONE_SEND NodeMetadata:METADATA_DISCOVERY NodeMetadata:POD_PORTS
			NodeMetadata:PILOT_SAN`,
			"what a proxy of Istio says of itself; any other metadata of a node is digested"},
		{Kept, "BuildMetadata:build.type BuildMetadata:revision.sha BuildMetadata:revision.status BuildMetadata:ssl.version", "how an Envoy was built"},
		{Kept, `Client:connection_id Client:connected_at Client:watches Sync:proxy Sync:proxy_type Sync:istio_version Sync:cluster_id
			Sync:cluster_sent Sync:cluster_acked Sync:listener_sent Sync:listener_acked Sync:route_sent Sync:route_acked Sync:endpoint_sent
			Sync:endpoint_acked Sync:extensionconfig_sent Sync:extensionconfig_acked SyncType:sent SyncType:acked SyncType:sent_time
			Cluster:sync_status PushEvent:proxy Shards:ServiceAccounts ClusterAddresses:Addresses Service:default_address
			Service:autoAllocatedIPv4Address Service:autoAllocatedIPv6Address ServiceAttributes:ServiceRegistry ServiceAttributes:Name
			ServiceAttributes:Namespace ServiceAttributes:Type ServiceAttributes:ExternalName ServiceAttributes:ObjectName
			ServiceAttributes:ExportTo ServiceAlias:Name ServiceAlias:Namespace ServiceAlias:Hostname answers.Service:ResourceVersion
			answers.Endpoint:Address answers.Endpoint:ServicePortName answers.Endpoint:ServiceAccount answers.Endpoint:Network
			answers.Endpoint:TLSMode answers.Endpoint:Namespace answers.Endpoint:WorkloadName answers.Endpoint:HostName
			answers.Endpoint:SubDomain answers.Endpoint:NodeName EndpointLocality:Label EndpointLocality:ClusterID`,
			"istiod's registry of services and its connections"},
		{Kept, `ZtunnelWorkloads:workload_ip ZtunnelWorkloads:workload_ips ZtunnelWorkloads:workload_name ZtunnelWorkloads:canonical_name
			ZtunnelWorkloads:canonical_revision ZtunnelWorkloads:node ZtunnelWorkloads:cluster_id ZtunnelWorkloads:authorization_policies
			ZtunnelWorkloads:waypoint_addresses ZtunnelWorkloads:gateway_address ZtunnelWorkloads:waypoint_svc_ip_address
			ZtunnelWaypoint:destination ZtunnelService:vips ZtunnelService:cidr_vips ZtunnelBalancer:health_policy ZtunnelBalancer:routing_preferences
			ZtunnelEndpoint:workload_uid ZtunnelConnection:actual_dst ZtunnelConnection:original_dst ZtunnelConnection:src
			ZtunnelCertificate:identity ZtunnelRule:source_ips ZtunnelRule:not_source_ips ZtunnelRule:destination_ips
			ZtunnelRule:not_destination_ips ZtunnelLocality:subzone ZtunnelConfig:cluster_domain ZtunnelConfig:cluster_id
			ZtunnelConfig:local_node ZtunnelConfig:proxy_mode ZtunnelConfig:ztunnel_identity ZtunnelConfig:inbound_addr
			ZtunnelConfig:inbound_plaintext_addr ZtunnelConfig:outbound_addr ZtunnelConfig:socks5_addr ZtunnelConfig:alt_xds_hostname
			ZtunnelConfig:alt_ca_hostname ZtunnelAddress:SocketAddr ZtunnelVersion:build_profile ZtunnelVersion:build_status
			ZtunnelVersion:crypto_provider ZtunnelVersion:git_revision ZtunnelVersion:istio_version ZtunnelVersion:rust_version`,
			"what a ztunnel knows of workloads, services and connections"},
		{URL, "ZtunnelConfig:xds_address ZtunnelConfig:ca_address ZtunnelConfig:inpod_uds", "places of services"},
		{Word, "ZtunnelCertificate:state", "a state, and behind it an error that may say anything"},

		{Certificate, `TlsCertificate:certificate_chain CertificateValidationContext:trusted_ca TrustDomain:trust_bundle
			ZtunnelCertificateBody:pem ProxyConfig:ca_certificates_pem CertificateData:pem SslCredentials:root_certs`,
			"certificates are public: the document shows whose they are and how long they hold"},
		{Kept, `DataSource:filename DataSource:environment_variable`, "the name of a file or a variable, not what is in it"},

		{Dropped, envoy.SecretMembers,
			"private keys, and secrets that Envoy's discovery service gives out"},
		{Dropped, envoy.SecretFields,
			"tokens and passwords, by the names that the schemas have for them"},
		{Dropped, "Secret:data Secret:stringData", "the contents of Kubernetes' Secrets"},
		{Variable, "EnvVar:value ", "the environment of containers"},
		{Dropped, "proxy_metadata ProxyConfig:environment_variables ProxyConfig:runtime_values " + envoy.EnvironmentMembers,
			"the environment of proxies and plugins"},

		{Digested, `HeaderValue:value HeaderValue:raw_value HTTPHeader:value HeaderOperations:set HeaderOperations:add
			CheckSettings:context_extensions Header:regex_rewrite KeyValuePair:regex_value_rewrite`,
			"values of headers that are added: often credentials for what is behind"},
		{Digested, "CookieMatcher:string_match KeyValueMatchEntry:string_match Metadata:value StructMatcher:value",
			"what cookies, and the metadata of anybody, are matched with"},
		{Digested, `DataSource:inline_string DataSource:inline_bytes inline_code configuration plugin_config body direct_response local_jwks jwks
			annotations args command data binaryData message details last_error config_yaml text_format json_format format
			runtime static_layer custom_tags value default_value description substitution expression condition continue`,
			"free text: code, configuration of plugins, bodies, key sets, annotations, arguments, messages"},
	}
}
