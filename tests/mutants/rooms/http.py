"""Mutants of `http`: redirects, secrets, retries, rate limits, responses that contradict themselves."""

from tests.mutants.mutant import Mutant

CLIENT = "platform_assets/http/client.py"
REDIRECTS = "platform_assets/http/redirects.py"
RESPONSES = "platform_assets/http/responses.py"
RECORDS = "platform_assets/http/selection.py"
CALLS = "tests/http/test_client.py"

MUTANTS = (
    Mutant(
        "method-that-a-list-lacks-is-an-error",
        "platform_assets/http/template_sandbox.py",
        "return getattr(obj, attribute, missing) if",
        "return getattr(obj, attribute) if",
        ("tests/http/test_templates.py::test_what_is_computed_from_a_missing_field_is_none",),
    ),
    Mutant(
        "link-to-another-server",
        CLIENT,
        'if target != server or "@" in urlsplit(link).netloc:',
        "if False:",
        ("tests/extraction/test_outgoing.py::test_a_link_to_another_server_is_refused_before_anything_is_sent",),
    ),
    Mutant(
        "credential-for-the-server-of-a-file",
        CLIENT,
        "            credential = declared if is_home else None\n",
        "            credential = declared\n",
        ("tests/extraction/test_report_jobs.py::test_a_file_on_another_server_gets_no_credential",),
    ),
    Mutant(
        "signature-of-a-file-in-messages",
        CLIENT,
        "            self.redact.add(value)",
        "            pass",
        (
            "tests/extraction/test_report_jobs.py"
            "::test_a_file_that_is_gone_is_no_missing_parent_and_its_signature_is_in_no_message",
        ),
    ),
    Mutant(
        "file-that-ends-early-taken-for-a-whole-one",
        "platform_assets/http/gzipped.py",
        "        if not part and not member.eof:",
        "        if not part:\n            return\n        if False:",
        ("tests/extraction/test_report_jobs.py::test_a_damaged_file_is_an_error_and_never_fewer_rows",),
    ),
    Mutant(
        "post-becomes-get",
        CLIENT,
        "if response.status_code not in (307, 308) and not outgoing.can_be_redirected:",
        "if False:",
        ("tests/extraction/test_outgoing.py::test_a_redirect_that_makes_a_get_of_a_post_is_refused",),
    ),
    Mutant(
        "refresh-token-used-twice",
        "platform_assets/http/refresh_token.py",
        "        with kept_in.alone():",
        "        if True:",
        ("tests/http/test_auth.py::test_clients_that_refresh_at_once_take_turns",),
    ),
    Mutant(
        "redirect-drops-the-query",
        REDIRECTS,
        "    if changed:",
        "    if False:",
        (f"{CALLS}::test_a_redirect_that_drops_the_query_is_refused",),
    ),
    Mutant(
        "redirect-to-another-origin",
        REDIRECTS,
        "    if target_origin != origin(url):",
        "    if False:",
        (f"{CALLS}::test_redirects_stay_on_the_origin",),
    ),
    Mutant(
        "secret-in-messages",
        "platform_assets/http/messages.py",
        'return self.redact(f"{self.platform}: {request}: {problem}")',
        'return f"{self.platform}: {request}: {problem}"',
        (f"{CALLS}::test_no_message_holds_the_secret",),
    ),
    Mutant(
        "permanent-error-retried",
        RESPONSES,
        "        if status not in handler.retry_on_status_codes:",
        "        if status == 401:",
        (f"{CALLS}::test_permanent_errors_are_not_retried",),
    ),
    Mutant(
        "parts-of-a-template-not-paid-for",
        "platform_assets/http/template_sandbox.py",
        "    for node in reversed(list(_nodes(tree))):",
        "    for node in list(_nodes(tree)):",
        ("tests/http/test_templates.py::test_everything_that_makes_a_value_asks_the_budget",),
    ),
    Mutant(
        "retry-delay-ignored",
        "platform_assets/http/retry.py",
        ("        self._delayed_seconds += delay\n        return delay"),
        ("        self._delayed_seconds += delay\n        return 0.0"),
        (f"{CALLS}::test_retry_after_waits_do_not_use_up_the_retries",),
    ),
    Mutant(
        "rate-limit-ignored",
        "platform_assets/http/rate_limiter.py",
        "            sleep(at - now)",
        "            pass",
        (
            "tests/http/test_rate_limiter.py::test_no_window_holds_more_than_the_limit",
            "tests/http/test_rate_limiter.py::test_threads_share_the_limit",
        ),
    ),
    Mutant(
        "key-not-encoded-in-the-path",
        "platform_assets/http/urls.py",
        'quote(text, safe="")',
        "quote(text)",
        (f"{CALLS}::test_a_path_value_stays_in_its_own_segment",),
    ),
    Mutant(
        "duplicate-key-accepted",
        RESPONSES,
        ("            if repeated is None:\n                return body"),
        ("            if True:\n                return body"),
        (f"{CALLS}::test_a_duplicate_key_in_the_envelope_is_detected_in_any_spelling",),
    ),
    Mutant(
        "escaped-duplicate-key-accepted",
        "platform_assets/http/repeated_keys.py",
        "    if _ESCAPED_KEY.search(content):",
        "    if False:",
        (f"{CALLS}::test_a_duplicate_key_in_the_envelope_is_detected_in_any_spelling",),
    ),
    Mutant(
        "error-beside-records-ignored",
        RECORDS,
        '        if name != outermost and (outermost in body or outermost == "*") and body.get(name):',
        "        if False:",
        ("tests/http/test_selection.py::test_an_error_beside_records_is_an_error",),
    ),
    Mutant(
        "path-value-leads-upwards",
        "platform_assets/http/urls.py",
        'for segment in (text.split("/") if parts in path else [text])',
        "for segment in [text]",
        ("tests/extraction/test_request_templates.py::test_no_segment_of_a_path_leads_upwards",),
    ),
    Mutant(
        "unsent-value-sent",
        "platform_assets/http/outgoing.py",
        "(BODY, HEADER, LINK, VALUE))",
        "(BODY, HEADER, LINK))",
        ("tests/extraction/test_request_templates.py::test_forms_and_headers_have_templates",),
    ),
    Mutant(
        "endpoint-elsewhere-past-the-setting",
        "platform_assets/http/base_urls.py",
        "    if settings.is_redirected:",
        "    if False:",
        ("tests/http/test_base_urls.py::test_the_setting_base_url_takes_what_would_go_elsewhere",),
    ),
    Mutant(
        "pattern-by-another-name",
        "platform_assets/http/template_functions.py",
        '        raise ValueError(f"the pattern {problem}")',
        "        pass",
        ("tests/http/test_templates.py::test_a_pattern_that_comes_by_another_name_is_looked_at_too",),
    ),
)
