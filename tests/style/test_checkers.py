"""The checkers find what they are for, and leave good code alone."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import check_banned  # noqa: E402
import check_cleanup  # noqa: E402
import check_format  # noqa: E402
import check_layers  # noqa: E402
import check_limits  # noqa: E402
import check_metrics  # noqa: E402
import check_settings  # noqa: E402
import check_tree  # noqa: E402
import source  # noqa: E402

LAYER_TABLE = '''<!-- layers -->
| directory | may include | only by their doors |
|---|---|---|
| base | | |
| smtp, auth | base | smtp, auth |

doors: `auth/kind.h`
<!-- /layers -->
'''


class Samples(unittest.TestCase):
    def findings(self, checker, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                target = Path(root, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding='utf-8')
            return [str(f) for f in checker.check(source.Tree(root))]

    def assert_found(self, checker, files, *expected):
        found = self.findings(checker, files)
        self.assertEqual(len(found), len(expected), found)
        for line, text in zip(sorted(found), sorted(expected)):
            self.assertIn(text, line)


class Layers(Samples):
    def include(self, path, header):
        return {'ARCHITECTURE.md': LAYER_TABLE, path: f'\n#include "{header}"\n'}

    def test_lower_layers_may_be_included(self):
        self.assert_found(check_layers, self.include('src/smtp/a.c', 'base/str.h'))

    def test_upward_include_is_found(self):
        self.assert_found(check_layers, self.include('src/base/a.c', 'smtp/smtp.h'),
                          'src/base/a.c:2: src/base must not include "smtp/smtp.h"')

    def test_service_is_entered_by_its_doors_only(self):
        for door in ('auth/auth.h', 'auth/auth_client.h', 'auth/auth_ipc.h', 'auth/kind.h'):
            self.assert_found(check_layers, self.include('src/smtp/a.c', door))
        self.assert_found(check_layers, self.include('src/smtp/a.c', 'auth/accounts.h'),
                          'may reach auth only by its door')

    def test_unknown_directory_and_unqualified_include_are_found(self):
        self.assert_found(check_layers, self.include('src/new/a.c', 'base/str.h'),
                          'src/new is missing in the layer table')
        self.assert_found(check_layers, self.include('src/smtp/a.c', 'str.h'), 'not written from')

    def test_missing_table_is_found(self):
        self.assert_found(check_layers, {'ARCHITECTURE.md': 'no table'}, 'has no layer table')


class Limits(Samples):
    def c(self, text):
        return {'src/a/a.c': text}

    def test_long_function_is_found(self):
        body = '\tx();\n' * 99
        self.assert_found(check_limits, self.c('int f(void)\n{\n' + body + '}\n'),
                          'src/a/a.c:1: f has 102 lines')

    def test_table_inside_a_function_does_not_count(self):
        table = '\tstatic const int t[] = {\n' + '\t\t1,\n' * 120 + '\t};\n'
        self.assert_found(check_limits, self.c('int f(void)\n{\n' + table + '}\n'))

    def test_braces_in_strings_comments_and_macros_do_not_confuse(self):
        text = ('#define M(x) \\\n\tdo { \\\n\t} while (0)\n'
                'int f(void)\n{\n\tputs("{{{"); /* { */\n\tputc(\'{\');\n}\n')
        self.assert_found(check_limits, self.c(text))

    def test_too_many_parameters_are_found_and_ellipsis_is_free(self):
        five = 'int f(int a, int b, int c, int d, int e, ...)\n{\n}\n'
        six = 'int f(int a, int b, int (*c)(int, int), int d, int e, int g)\n{\n}\n'
        self.assert_found(check_limits, self.c(five))
        self.assert_found(check_limits, self.c(six), 'f has 6 parameters')

    def test_deep_nesting_is_found_with_and_without_braces(self):
        deep = ('int f(void)\n{\n\tif (a)\n\t\tfor (;;)\n\t\t\twhile (b)\n\t\t\t\tif (c)\n'
                '\t\t\t\t\treturn 1;\n}\n')
        self.assert_found(check_limits, self.c(deep), 'src/a/a.c:7: f is indented 5 deep')

    def test_continuation_lines_are_not_nesting(self):
        text = ('int f(void)\n{\n\tcall(first,\n\t\t\t\t\t\tsecond);\n\tint x =\n\t\t\t\t\t\t1;\n'
                '\tstruct s s = {\n\t\t\t\t\t\t.a = 1,\n\t};\n}\n')
        self.assert_found(check_limits, self.c(text))

    def test_goto_long_line_and_long_file_are_found(self):
        self.assert_found(check_limits, self.c('int f(void)\n{\n\tgoto out;\n}\n'), ':3: goto')
        self.assert_found(check_limits, self.c('/*' + 'x' * 99 + '*/\n'), '103 columns')
        self.assert_found(check_limits, self.c('\n' * 1001), '1001 lines')

    def test_tabs_are_eight_columns(self):
        self.assert_found(check_limits, self.c('\t' * 12 + 'abcd\n'))
        self.assert_found(check_limits, self.c('\t' * 12 + 'abcde\n'), '101 columns')


class Cleanup(Samples):
    def function(self, *lines):
        return {'src/a/a.c': 'int f(void)\n{\n' + ''.join(f'\t{x}\n' for x in lines) + '}\n'}

    def test_what_has_a_value_in_time_is_fine(self):
        self.assert_found(check_cleanup, self.function(
            'auto_buf struct buf b;', 'buf_init(&b, NULL, 1);', 'return 0;'))
        self.assert_found(check_cleanup, self.function(
            'auto_close int fd = -1;', 'return 0;'))
        self.assert_found(check_cleanup, self.function(
            'auto_close int fd;', 'fd = open(p, 0);', 'return fd;'))

    def test_what_is_cleaned_up_before_is_found(self):
        self.assert_found(check_cleanup, self.function(
            'auto_buf struct buf b;', 'if (x)', '\treturn 0;', 'buf_init(&b, NULL, 1);'),
            'src/a/a.c:3: b is cleaned up')
        self.assert_found(check_cleanup, self.function('auto_free char *p;'),
                          'src/a/a.c:3: p is cleaned up')


class Banned(Samples):
    def test_banned_calls_are_found(self):
        for call in ('strcpy(a, b)', 'strcat(a, b)', 'sprintf(a, "x")', 'atoi(s)', 'strtok(s, d)',
                     'gets(s)', 'alloca(3)', 'system("x")', 'popen("x", "r")'):
            self.assert_found(check_banned, {'src/a/a.c': f'int f(void)\n{{\n\t{call};\n}}\n'},
                              'src/a/a.c:3: ' + call.split('(')[0])

    def test_names_that_only_contain_a_banned_one_are_fine(self):
        text = ('snprintf(a, 1, "x"); buf_free(b); stream->free(s); my_system(1);\n'
                '/* malloc(1) */ "gets(1)";\n')
        self.assert_found(check_banned, {'src/a/a.c': text})

    def test_heap_is_for_owners(self):
        text = 'p = malloc(1);\n'
        self.assert_found(check_banned, {'src/a/a.c': text}, 'not an owner of heap memory')
        owners = {'tests/style/heap_owners.txt': '# files\nsrc/a/a.c  the things\n'}
        self.assert_found(check_banned, {'src/a/a.c': text, **owners})

    def test_owner_list_names_real_files_and_reasons(self):
        owners = {'tests/style/heap_owners.txt': 'src/a/gone.c  things\nsrc/a/a.c\n'}
        self.assert_found(check_banned, {'src/a/a.c': '', **owners},
                          'gone.c does not exist', 'what does it own?')


class Format(Samples):
    @unittest.skipUnless(check_format.formatter(), 'the pinned clang-format is not installed')
    def test_unformatted_file_is_found(self):
        style = {'.clang-format': 'BasedOnStyle: LLVM\n'}
        self.assert_found(check_format, {'src/a/a.c': 'int  f( void ){}\n', **style},
                          'not formatted')
        self.assert_found(check_format, {'src/a/a.c': 'int f(void) {}\n', **style})


class Shape(Samples):
    README = {'src/a/README.md': 'A.\n'}

    def test_directory_without_readme_is_found(self):
        self.assert_found(check_tree, {'src/a/a.c': ''}, 'src/a:1: has no README.md')

    def test_header_without_pragma_once_is_found(self):
        self.assert_found(check_tree, {'src/a/a.h': 'int x;\n', **self.README}, 'no #pragma once')
        self.assert_found(check_tree, {'src/a/a.h': '/* A. */\n#pragma once\n', **self.README})

    def test_words_for_later_are_found(self):
        for word in ('TODO', 'FIXME', 'a stub', 'for now'):
            self.assert_found(check_tree, {'src/a/a.c': f'/* {word}: more */\n', **self.README},
                              'finish it')
        fine = '/* stubborn, XXXXXX */\nchar *s = "TODO";\n'
        self.assert_found(check_tree, {'src/a/a.c': fine, **self.README})

    def test_unit_test_of_no_directory_is_found(self):
        self.assert_found(check_tree, {'tests/unit/gone/test_a.c': ''}, 'there is no src/gone')


class Metrics(Samples):
    def test_metric_that_nobody_counts_is_found(self):
        table = {'src/core/metrics.def': '\nCOUNTER(MAIL, "queue", "mail", "", "Mail.")\n'}
        counted = {'src/a/a.c': 'metric_add(METRIC_MAIL, 1);\n'}
        self.assert_found(check_metrics, table, 'src/core/metrics.def:2: MAIL is counted nowhere')
        self.assert_found(check_metrics, {**table, **counted})


class Settings(Samples):
    def test_documentation_that_drifted_is_found(self):
        generator = 'import sys\nprint("docs/settings.md is out of date")\nsys.exit(1)\n'
        self.assert_found(check_settings, {'tools/gen_settings_doc.py': generator}, 'out of date')
        self.assert_found(check_settings, {'tools/gen_settings_doc.py': 'pass\n'})


if __name__ == '__main__':
    unittest.main()
