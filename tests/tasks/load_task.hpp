#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <lrid/core/options.hpp>
#include <lrid/tasks/task.hpp>

namespace lrid::testing {

/// The named task with the keys of `toml`, all of which it must know, its data read from `data_dir`.
inline std::unique_ptr<tasks::Task> load_task(const std::string& name, const std::string& architecture,
                                              const std::filesystem::path& data_dir, const std::string& toml,
                                              int threads = 2) {
  Options options(Config::from_toml(toml, "test.toml"));
  std::unique_ptr<tasks::Task> task = tasks::tasks().at(name).make(options, architecture);
  options.finish();
  task->load(data_dir, threads);
  return task;
}

}  // namespace lrid::testing
