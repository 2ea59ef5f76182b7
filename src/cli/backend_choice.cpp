// The rules of the choice, and the makers of real backends.
#include "cli/backend_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/cuda_build.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

std::string first_line(const std::string& text) {
    const std::size_t end = text.find('\n');
    return end == std::string::npos ? text : text.substr(0, end) + " ... (see `limrisk doctor`)";
}

[[noreturn]] void refuse(const std::string& message) { throw Error(ExitCode::Usage, message); }

/// cpu, cuda, or auto where nothing decides.
std::string resolved_name(const BackendChoice& choice) {
    const bool threads = choice.threads > 0, devices = !choice.devices.empty();
    if (choice.name != "auto" && choice.name != "cpu" && choice.name != "cuda")
        refuse(fmt::format("--backend {}: unknown backend; allowed are auto, cpu and cuda", choice.name));
    if (devices && threads) refuse("--devices is for GPUs and --threads for the CPU; give one of them");
    if (devices && choice.name == "cpu") refuse("--devices: the CPU backend has no devices; omit it, or use --backend cuda");
    if (threads && choice.name == "cuda") refuse("--threads: the CUDA backend chooses its threads itself; omit it, or use --backend cpu");
    if (choice.name != "auto") return choice.name;
    return devices ? "cuda" : threads ? "cpu" : "auto";
}

void refuse_unknown_devices(const std::vector<int>& wanted, const std::vector<int>& present) {
    for (const int device : wanted) {
        if (std::find(present.begin(), present.end(), device) != present.end()) continue;
        refuse(fmt::format("--devices: device {} does not exist; available {} {}; `limrisk doctor` shows them", device,
                           present.size() == 1 ? "is only" : "are", fmt::join(present, ", ")));
    }
}

std::unique_ptr<Backend> prepared(std::unique_ptr<Backend> backend, const std::vector<CellConfig>& cells, Preparation preparation) {
    if (preparation == Preparation::ForRun)
        backend->prepare_to_run(cells);
    else
        backend->prepare(cells);
    return backend;
}

}  // namespace

std::vector<int> parse_devices(const std::string& text) {
    std::vector<int> devices;
    const char *begin = text.data(), *const end = begin + text.size();
    while (true) {
        int device = -1;
        const auto [after, error] = std::from_chars(begin, end, device);
        if (error != std::errc() || device < 0 || (after != end && *after != ','))
            refuse(fmt::format("--devices: '{}' is not a list of device numbers, such as 0 or 0,2", text));
        if (std::find(devices.begin(), devices.end(), device) != devices.end())
            refuse(fmt::format("--devices: '{}' contains device {} twice", text, device));
        devices.push_back(device);
        if (after == end) return devices;
        begin = after + 1;
    }
}

void add_devices_option(CLI::App& command, std::vector<int>& devices) {
    command
        .add_option_function<std::string>(
            "--devices", [&devices](const std::string& text) { devices = parse_devices(text); },
            "use these GPUs, for example 0,2; default: all")
        ->type_name("LIST");
}

void add_backend_options(CLI::App& command, BackendChoice& choice) {
    command.add_option("--backend", choice.name, "auto, cpu or cuda; auto: use the GPUs if possible, else the CPU")
        ->type_name("NAME")
        ->capture_default_str();
    add_devices_option(command, choice.devices);
    command.add_option("--threads", choice.threads, "use the CPU with N threads; default: one per available processor")
        ->type_name("N")
        ->transform(whole_number(1, 4096));
}

BackendMakers backend_makers() {
    return {[](int threads) { return make_cpu_backend(threads); },
            [](const std::vector<int>& devices) {
                // It outlives the backend, which keeps a pointer to it.
                static cuda::CubinCache cache(cuda::CubinCache::default_directory(), cuda::CubinCache::default_limit_bytes,
                                              [](const std::string& line) { note("limrisk: warning: " + line + "\n"); });
                cuda::CudaBackendOptions options;
                options.devices = devices;
                options.cache = &cache;
                return cuda::make_cuda_backend(options);
            },
            [] {
                std::vector<int> numbers;
                for (const cuda::DeviceProperties& device : cuda::make_cuda_runtime()->devices()) numbers.push_back(device.index);
                return numbers;
            },
            cuda::cuda_build().present};
}

ChosenBackend choose_backend(const BackendChoice& choice, const std::vector<CellConfig>& cells, const BackendMakers& makers,
                             Preparation preparation) {
    const std::string name = resolved_name(choice);
    if (name == "cuda") {
        try {
            if (!choice.devices.empty()) refuse_unknown_devices(choice.devices, makers.cuda_devices());
            return {prepared(makers.cuda(choice.devices), cells, preparation), ""};
        } catch (const DeviceError& error) {
            throw DeviceError(fmt::format("--backend cuda: {}\n--backend cpu runs the same cells, with the same results", error.what()));
        }
    }
    std::string no_gpu;
    if (name == "auto" && makers.cuda_in_build) {
        std::unique_ptr<Backend> gpus;
        try {
            gpus = makers.cuda({});
        } catch (const DeviceError&) {
            no_gpu = "see `limrisk doctor`";
        }
        try {
            if (gpus) return {prepared(std::move(gpus), cells, preparation), ""};
        } catch (const DeviceError& error) {  // what the doctor cannot know: these cells
            no_gpu = first_line(error.what());
        }
    }
    return {prepared(makers.cpu(choice.threads), cells, preparation), no_gpu};
}

std::unique_ptr<Backend> make_backend(const BackendChoice& choice, const std::vector<CellConfig>& cells, bool quiet,
                                      Preparation preparation) {
    ChosenBackend chosen = choose_backend(choice, cells, backend_makers(), preparation);
    if (!quiet && !chosen.no_gpu.empty()) note(fmt::format("no GPU can be used ({}): {}\n", chosen.no_gpu, chosen.backend->description()));
    return std::move(chosen.backend);
}

}  // namespace limrisk::cli
