/* TLS by OpenSSL under hiredis; a build without hiredis_ssl says that it has none. */
#include "daemon/state/tls.h"

#ifdef HAVE_HIREDIS_SSL

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static bool tls_failed(const char *what, struct error *error)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return fail(error, "redis TLS: %s: %s", what, why ? why : "no reason given");
}

static bool is_ip(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The certificate must name the host (or its IP address); a name is also sent ahead (SNI). */
static bool expect_host(SSL *ssl, const char *host)
{
    if (is_ip(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static SSL *session(const char *host, const char *ca_file, struct error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) return tls_failed("cannot begin", error), NULL;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    bool trusts =
        ca_file[0] ? SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1 : SSL_CTX_set_default_verify_paths(context) == 1;
    SSL *ssl = trusts ? SSL_new(context) : NULL;
    SSL_CTX_free(context);
    if (!ssl) return tls_failed("cannot load the certificates to trust", error), NULL;
    if (expect_host(ssl, host)) return ssl;
    SSL_free(ssl);
    return tls_failed("cannot check the host's name", error), NULL;
}

bool tls_start(redisContext *context, const char *host, const char *ca_file, struct timeval timeout, struct error *error)
{
    SSL *ssl = session(host, ca_file, error);
    if (!ssl) return false;
    redisSetTimeout(context, timeout);
    if (redisInitiateSSL(context, ssl) == REDIS_OK) return true;
    long verdict = SSL_get_verify_result(ssl);
    fail(error, "redis TLS: %s", verdict == X509_V_OK ? context->errstr : X509_verify_cert_error_string(verdict));
    SSL_free(ssl);
    return false;
}

#else

bool tls_start(redisContext *context, const char *host, const char *ca_file, struct timeval timeout, struct error *error)
{
    (void)context, (void)host, (void)ca_file, (void)timeout;
    return fail(error, "redis TLS: rediss:// needs a build with hiredis_ssl; with this one, use a TLS tunnel on the same host");
}

#endif
