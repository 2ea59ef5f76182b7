// --backend, --devices and --threads: which backend runs the cells, and why it is not the one that a user might expect.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.hpp"

namespace CLI {
class App;
}

namespace limrisk::cli {

struct BackendChoice {
    std::string name = "auto";
    int threads = 0;           ///< of the CPU backend; 0: all cores
    std::vector<int> devices;  ///< of the CUDA backend, as CUDA numbers them; empty: all
};

/// Adds --backend, --devices and --threads.
void add_backend_options(CLI::App& command, BackendChoice& choice);

/// Adds --devices alone.
void add_devices_option(CLI::App& command, std::vector<int>& devices);

/// "0,2" as numbers. Throws Error(Usage) for a malformed list or a number that comes twice.
std::vector<int> parse_devices(const std::string& text);

/// Where backends come from; tests put others in their place.
struct BackendMakers {
    std::function<std::unique_ptr<Backend>(int threads)> cpu;
    std::function<std::unique_ptr<Backend>(const std::vector<int>& devices)> cuda;  ///< throws DeviceError if it cannot be used
    std::function<std::vector<int>()> cuda_devices;                                 ///< numbers; throws DeviceError likewise
    bool cuda_in_build = false;
};

/// This build's and this machine's.
BackendMakers backend_makers();

struct ChosenBackend {
    std::unique_ptr<Backend> backend;
    std::string no_gpu;  ///< why `auto` took the CPU, a few words; empty where nobody would expect a GPU
};

/// Whether all cells must be ready, or the first of a run only, whose cells come in the order in which it takes them.
enum class Preparation { Whole, ForRun };

/// The backend asked for, prepared for the cells: `auto` is cuda if --devices is given, cpu if --threads is given, else cuda if it can be
/// used for these cells and cpu if not. Throws Error(Usage) for an unknown name or device and for options that contradict each other,
/// DeviceError if a backend asked for by name cannot be used.
ChosenBackend choose_backend(const BackendChoice& choice, const std::vector<CellConfig>& cells, const BackendMakers& makers,
                             Preparation preparation = Preparation::Whole);

/// The same with this machine's backends; a line on stderr says why `auto` took the CPU, unless `quiet`.
std::unique_ptr<Backend> make_backend(const BackendChoice& choice, const std::vector<CellConfig>& cells, bool quiet = false,
                                      Preparation preparation = Preparation::Whole);

}  // namespace limrisk::cli
