#include "courier/config.h"

#include "core/settings.h"

#define RESET_MS 20000

struct courier_config courier_config_from_settings(const struct settings *set)
{
	return (struct courier_config){
		.fqdn = set->fqdn,
		.helo = set->helo_name,
		.port = (uint16_t)set->remote_port,
		.ipv4 = set->smtp_inet != SETTING_INET_IPV6,
		.ipv6 = set->smtp_inet != SETTING_INET_IPV4,
		.bind4 = set->bind_address,
		.bind6 = set->bind_address6,
		.times = {
			.connect = set->courier_connect,
			.greeting = set->courier_greeting,
			.helo = set->courier_helo,
			.mail = set->courier_mail,
			.rcpt = set->courier_mail,
			.data = set->courier_data,
			.block = set->courier_block,
			.data_end = set->courier_data_end,
			.reset = RESET_MS,
			.attempt = set->courier_attempt,
		},
		.ca_file = set->ca_file.p,
		.tls_required = set->tls_required,
		.refuse_downgrade = set->tls_refuse_downgrade,
		.relay_verify = set->relay_verify,
		.dane = set->enable_dane,
		.sts = set->enable_mta_sts,
		.sts_port = (uint16_t)set->mta_sts_port,
		.hosts_max = (unsigned)set->courier_hosts,
		.sessions_max = (unsigned)set->courier_sessions,
		.recipients_max = (unsigned)set->courier_recipients,
		.cache_max = (unsigned)set->courier_cache,
		.cache_idle = set->courier_cache_idle,
		.connection_messages = (unsigned)set->courier_messages,
	};
}
