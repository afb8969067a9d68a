lrid_program(bench_stats SOURCES stats_benchmark.cpp LINKS lrid_stats benchmark::benchmark)
