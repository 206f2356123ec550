"""The counting behind the last line of ./test."""
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import report  # noqa: E402


def program(result, output):
    return json.dumps({'name': 'x', 'result': result, 'stdout': output})


class Report(unittest.TestCase):
    def test_cmocka_cases_are_counted_one_by_one(self):
        text = program('OK', '[  PASSED  ] 8 test(s).\n') + '\n' + \
            program('FAIL', '[  PASSED  ] 2 test(s).\n[  FAILED  ] 1 test(s), listed below:\n'
                            '[  FAILED  ] some_case\n')
        self.assertEqual(report.count_meson(text)[:2], (10, 1))

    def test_program_that_dies_is_a_failure(self):
        self.assertEqual(report.count_meson(program('FAIL', ''))[:2], (0, 1))
        self.assertEqual(report.count_meson(program('TIMEOUT', ''))[:2], (0, 1))
        after = program('FAIL', '[  PASSED  ] 8 test(s).\n')    # a leak, found at the exit
        self.assertEqual(report.count_meson(after)[:2], (8, 1))

    def test_program_without_cases_counts_itself(self):
        self.assertEqual(report.count_meson(program('OK', 'fine\n'))[:2], (1, 0))

    def test_pytest_results_are_counted(self):
        text = '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="1"/></testsuites>'
        self.assertEqual(report.count_junit(text), (5, 3, '(1 skipped)'))


if __name__ == '__main__':
    unittest.main()
