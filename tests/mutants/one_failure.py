"""pytest plugin: hypothesis tries the same examples in each run and stops at the first failure, without shrinking."""

from hypothesis import Phase, settings

settings.register_profile(
    "one_failure",
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile("one_failure")
