/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every target asks of AddressSanitizer, unless $ASAN_OPTIONS says
 * otherwise: less of what is remembered about each block, which costs more than
 * the parsers do. Where a block was made is still told, three callers deep.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
    return "quarantine_size_mb=16:malloc_context_size=3:"
           "allocator_release_to_os_interval_ms=-1";
}
