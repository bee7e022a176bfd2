// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/page.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_page.h"

char *page__json(json_t *data, size_t *ret_len)
{
	char *text = json_dumps(data, JSON_COMPACT), *safe, *to;
	size_t len, more = 0;

	if (!text)
		return NULL;
	len = strlen(text);
	for (size_t i = 0; i < len; i++)
		more += text[i] == '<' || text[i] == '>' || text[i] == '&';
	safe = to = malloc(len + 5 * more + 1);
	/* JSON contains none of these outside of strings. */
	for (size_t i = 0; safe && i < len; i++)
		if (text[i] == '<' || text[i] == '>' || text[i] == '&')
			to += sprintf(to, "\\u%04x", text[i]);
		else
			*to++ = text[i];
	free(text);
	if (safe) {
		*to = '\0';
		*ret_len = to - safe;
	}
	return safe;
}

bool page__draws(void)
{
	return sizeof(page_uplot_js) > 1;
}

/* The policy's source for the script TEXT: no other script may run, whatever names contain. */
static void print_hash(FILE *out, const void *text, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE], base64[EVP_MAX_MD_SIZE * 2];
	unsigned int n = 0;

	EVP_Digest(text, len, digest, &n, EVP_sha256(), NULL);
	EVP_EncodeBlock(base64, digest, n);
	fprintf(out, " 'sha256-%s'", base64);
}

static void print_element(FILE *out, const char *name, const void *text, size_t len)
{
	fprintf(out, "<%s>", name);
	fwrite(text, len, 1, out);
	fprintf(out, "</%s>\n", name);
}

/* The arrays end with a NUL that is not part of the content. */
#define LEN(array) (sizeof(array) - 1)

static void print_page(FILE *out, const char *json, size_t len)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; "
	      "form-action 'none'; script-src",
	      out);
	if (page__draws())
		print_hash(out, page_uplot_js, LEN(page_uplot_js));
	print_hash(out, page_report_js, LEN(page_report_js));
	fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>iotrc report</title>\n"
	      "<link rel=\"icon\" href=\"data:,\">\n",
	      out);
	print_element(out, "style", page_uplot_css, LEN(page_uplot_css));
	print_element(out, "style", page_report_css, LEN(page_report_css));
	fputs("</head>\n", out);
	fwrite(page_report_html, LEN(page_report_html), 1, out);
	fputs("<!-- uPlot, which draws the charts:\n", out);
	fwrite(page_uplot_licence, LEN(page_uplot_licence), 1, out);
	fputs("-->\n<script type=\"application/json\" id=\"data\">", out);
	fwrite(json, len, 1, out);
	fputs("</script>\n", out);
	if (page__draws())
		print_element(out, "script", page_uplot_js, LEN(page_uplot_js));
	print_element(out, "script", page_report_js, LEN(page_report_js));
	fputs("</body>\n</html>\n", out);
}

char *page__make(json_t *data, size_t *ret_len)
{
	char *json, *page = NULL;
	size_t len = 0;
	FILE *out;

	json = page__json(data, &len);
	if (!json)
		return NULL;
	out = open_memstream(&page, ret_len);
	if (out) {
		print_page(out, json, len);
		if (fclose(out)) {
			free(page);
			page = NULL;
		}
	}
	free(json);
	return page;
}
