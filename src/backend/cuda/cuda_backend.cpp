// Two workers per device: while the results of one come back and the next piece is made ready, the other keeps the device at work.
#include "backend/cuda/cuda_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "backend/cuda/cell_programs.hpp"
#include "backend/cuda/cell_tables.hpp"
#include "backend/cuda/nvrtc.hpp"
#include "backend/cuda/occupancy.hpp"
#include "backend/cuda/piece_run.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

constexpr int workers_per_device = 2;
/// Of the memory that is free at the start; the rest is for tables, modules and other programs.
constexpr double usable_share = 0.85;
/// Warps of the finish kernel per multiprocessor: their scratch is bounded by this.
constexpr std::int64_t finish_warps_per_multiprocessor = 16;

std::string cell_name(const CellConfig& config) {
    return fmt::format("width {}, {}, {}", config.width, config.activation_label, config.optimizer_label);
}

std::string device_name(const DeviceProperties& properties) { return fmt::format("device {} ({})", properties.index, properties.name); }

std::int64_t finish_warps(const DeviceProperties& properties) { return finish_warps_per_multiprocessor * properties.multiprocessors; }

/// One device with its kernels.
class OpenDevice {
public:
    OpenDevice(std::unique_ptr<Device> device, int architecture, ProgramShelf& shelf, std::size_t memory_limit)
        : device_(std::move(device)), kernels_(*device_, architecture, shelf) {
        const double free = usable_share * static_cast<double>(device_->free_bytes());
        worker_bytes_ = (memory_limit > 0 ? memory_limit : static_cast<std::size_t>(free)) / workers_per_device;
    }

    Device& device() { return *device_; }
    DeviceKernels& kernels() { return kernels_; }
    const DeviceProperties& properties() const { return device_->properties(); }
    std::size_t worker_bytes() const { return worker_bytes_; }

private:
    std::unique_ptr<Device> device_;
    DeviceKernels kernels_;
    std::size_t worker_bytes_;
};

/// A stream of a device and the memory of the pieces that run on it.
class Worker {
public:
    Worker(OpenDevice& device, double launch_seconds)
        : device_(device), launch_seconds_(launch_seconds), stream_(device.device().make_stream()), buffers_(device.device()) {}

    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) {
        const std::lock_guard lock(mutex_);
        const kernels::Cell& cell = item.plan->cell();
        const CellKernels kernels = device_.kernels().get(cell, cell_name(item.plan->config()));
        const CellTables tables(device_.device(), *stream_, cell, table_memory_);
        BlockResult result;
        const PieceFormat format(
            cell, fitting_replicas(cell, kernels.plan, item.count, finish_warps(device_.properties()), options, device_.worker_bytes()));
        BlockCheckpoints checkpoints(format, item, status, options, result);
        const char* progress = nullptr;
        const BlockPlace begin = checkpoints.resume(progress);
        if (progress) take_results(checkpoints, begin, cell, options, result);
        for (std::int64_t done = begin.done; done < item.count;) {
            const PieceMemory memory = reserve(cell, kernels.plan, progress ? begin.trials : item.count - done, options);
            if (progress && memory.replicas < begin.trials)
                throw DeviceError(fmt::format("{} has no longer the memory for the {} trials of a checkpoint",
                                              device_name(device_.properties()), begin.trials));
            const PieceTask task{&device_.device(),
                                 stream_.get(),
                                 &kernels,
                                 &cell,
                                 &tables.cell(),
                                 item.first_trial + done,
                                 &memory,
                                 memory_.start(),
                                 &buffers_,
                                 launch_seconds_,
                                 item.plan,
                                 &checkpoints,
                                 done,
                                 progress};
            progress = nullptr;
            if (!run_piece(task, status, options, result)) return std::nullopt;
            done += memory.replicas;
        }
        return result;
    }

private:
    /// Results of the pieces before that of a checkpoint, and the initial parameters of this one.
    static void take_results(BlockCheckpoints& checkpoints, const BlockPlace& place, const kernels::Cell& cell, const BlockOptions& options,
                             BlockResult& result) {
        const std::int64_t parameters = kernels::parameter_count(cell);
        result.records.resize(static_cast<std::size_t>(place.done));
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
            if (options.parameters.kinds[kind])
                result.parameters[kind].resize(static_cast<std::size_t>((kind == 0 ? place.done + place.trials : place.done) * parameters));
        checkpoints.take_results(place);
    }

    /// Memory for as many of `wanted` replicas as fit.
    PieceMemory reserve(const kernels::Cell& cell, const CellKernelPlan& plan, std::int64_t wanted, const BlockOptions& options) {
        const std::int64_t most_finish_warps = finish_warps(device_.properties());
        std::int64_t replicas = fitting_replicas(cell, plan, wanted, most_finish_warps, options, device_.worker_bytes());
        while (replicas > 0) {
            const PieceMemory memory = lay_out_piece(cell, plan, replicas, most_finish_warps, options);
            if (memory.bytes <= memory_.bytes()) return memory;
            memory_ = DeviceMemory();
            memory_ = DeviceMemory(device_.device(), memory.bytes);
            if (memory_.start()) return memory;
            replicas = fitting_replicas(cell, plan, replicas / 2, most_finish_warps, options, memory.bytes);
        }
        throw DeviceError(fmt::format("{} has not the memory for a single warp of this cell: {} bytes of it are for one worker",
                                      device_name(device_.properties()), device_.worker_bytes()));
    }

    OpenDevice& device_;
    double launch_seconds_;
    std::mutex mutex_;
    std::unique_ptr<Stream> stream_;
    // Kept from one piece of work to the next: to allocate and to release would make the other workers of the device wait.
    DeviceMemory table_memory_, memory_;
    PieceBuffers buffers_;
};

class CudaBackend final : public Backend {
public:
    CudaBackend(std::shared_ptr<Runtime> runtime, std::shared_ptr<const Compiler> compiler, const CudaBackendOptions& options)
        : runtime_(std::move(runtime)), shelf_(std::move(compiler), options.cache) {
        const std::vector<DeviceProperties> present = runtime_->devices();
        for (const DeviceProperties& properties : chosen(present, options.devices)) {
            const std::optional<int> architecture = shelf_.compiler().architecture_for(properties.compute_capability);
            if (!architecture)
                throw DeviceError(fmt::format("{} has compute capability {}.{}, which {} does not compile for", device_name(properties),
                                              properties.compute_capability / 10, properties.compute_capability % 10,
                                              shelf_.compiler().identity()));
            devices_.push_back(std::make_unique<OpenDevice>(runtime_->open(properties.index), *architecture, shelf_, options.memory_limit));
        }
        for (int i = 0; i < workers_per_device; ++i)
            for (const auto& device : devices_) workers_.push_back(std::make_unique<Worker>(*device, options.launch_seconds));
    }

    std::string description() const override {
        std::string text = "cuda: ";
        for (const auto& device : devices_)
            text += fmt::format("{}{}", &device == &devices_.front() ? "" : ", ", device_name(device->properties()));
        return text;
    }

    int concurrency() const override { return static_cast<int>(workers_.size()); }

    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) override {
        if (item.plan->cell().algorithm != kernels::Algorithm::Plain)
            throw Defect("the CUDA backend was asked to train by sorted kinks, which only the CPU backend does");
        if (item.plan->cell().learning_rate.is_adaptive())
            throw Defect("the CUDA backend was asked for a learning rate of each trial, which only the CPU backend has");
        if (item.plan->cell().follows_kinks) throw Defect("the CUDA backend was asked to follow kinks, which only the CPU backend does");
        if (item.plan->cell().stop_proved)
            throw Defect("the CUDA backend was asked to end trials by proof, which only the CPU backend does");
        if (options.snapshot_steps) throw Defect("the CUDA backend was asked for snapshots, which only the CPU backend takes");
        return workers_.at(static_cast<std::size_t>(item.worker))->run(item, status, options);
    }

    std::string worker_name(int worker) const override {
        return device_name(devices_[static_cast<std::size_t>(worker) % devices_.size()]->properties());
    }

    bool needs_full_batches() const override { return true; }
    bool writes_checkpoints() const override { return true; }
    std::int64_t checkpoint_format() const override { return piece_format; }
    std::int64_t checkpoint_bytes(const CellPlan& plan, std::int64_t trials, const KeptParameters& keep) const override {
        BlockOptions options;
        options.parameters = keep;
        const kernels::Cell& cell = plan.cell();
        std::int64_t most = 0;
        for (const auto& device : devices_) {
            const CellKernels kernels = device->kernels().compiled(cell, cell_name(plan.config()));
            const std::int64_t fitting =
                fitting_replicas(cell, kernels.plan, trials, finish_warps(device->properties()), options, device->worker_bytes());
            const PieceFormat format(cell, fitting);
            for (BlockPlace place; fitting > 0 && place.done < trials; place.done += place.trials) {
                place.trials = std::min(fitting, trials - place.done);
                most = std::max(most, limrisk::checkpoint_bytes(cell, keep, format, place));
            }
        }
        return most;
    }

    double issue_limit() const override {
        double sum = 0;
        for (const auto& device : devices_) sum += cuda::issue_limit(device->properties());
        return sum;
    }

    std::vector<std::string> plan_lines(const CellPlan& plan) const override {
        std::vector<std::string> lines;
        for (const auto& device : devices_) {
            const CellKernels kernels = device->kernels().compiled(plan.cell(), cell_name(plan.config()));
            const DeviceProperties& properties = device->properties();
            const int warps = warps_of_multiprocessor(properties, kernels.plan.train, kernels.train_registers);
            const double bytes =
                static_cast<double>(lay_out_piece(plan.cell(), kernels.plan, batch_trials(plan), finish_warps(properties), {}).bytes) /
                static_cast<double>(batch_trials(plan));
            lines.push_back(fmt::format("{}: train: {}, {} registers a thread, {} warps a multiprocessor", device_name(properties),
                                        describe_plan(plan.cell(), kernels.plan.train), kernels.train_registers, warps));
            const std::string points =
                plan.cell().on_data && plan.cell().own_points == 0
                    ? fmt::format(", {} bytes of data points for each of {} workers", table_bytes(plan.cell()), workers_per_device)
                    : "";
            lines.push_back(fmt::format("{}: check: {}; {:.0f} bytes a replica, {} trials at once{}", device_name(properties),
                                        describe_plan(plan.cell(), kernels.plan.evaluate), bytes,
                                        replicas_at_once(properties, plan.cell(), kernels.plan.train, kernels.train_registers), points));
        }
        return lines;
    }

    std::int64_t trials_to_fill(const CellPlan& plan) override {
        std::int64_t trials = 0;
        for (const auto& device : devices_) {
            const CellKernels kernels = device->kernels().compiled(plan.cell(), cell_name(plan.config()));
            trials += replicas_of_wave(device->properties(), plan.cell(), kernels.plan.train, kernels.train_registers);
        }
        return trials;
    }

    void prepare(const std::vector<CellConfig>& cells) override { shelf_.get(jobs_of(cells)); }

    void prepare_to_run(const std::vector<CellConfig>& cells) override {
        std::vector<CompileJob> jobs = jobs_of(cells);
        const std::vector<CompileJob> first(jobs.begin(),
                                            jobs.begin() + static_cast<std::ptrdiff_t>(cells.empty() ? 0 : jobs.size() / cells.size()));
        shelf_.begin(std::move(jobs));
        shelf_.get(first);
    }

    std::int64_t batch_trials(const CellPlan& plan) const override {
        std::int64_t most = plan.block_trials();
        for (const auto& device : devices_) {
            const CellKernels kernels = device->kernels().compiled(plan.cell(), cell_name(plan.config()));
            most = std::max(most, replicas_at_once(device->properties(), plan.cell(), kernels.plan.train, kernels.train_registers));
        }
        return (most + plan.block_trials() - 1) / plan.block_trials() * plan.block_trials();
    }

private:
    /// The programs of all cells, those of one after those of the other, as many for each. @throws DeviceError for one that cannot run here
    std::vector<CompileJob> jobs_of(const std::vector<CellConfig>& cells) const {
        for (const CellConfig& config : cells) {
            const char* const what = config.algorithm == kernels::Algorithm::Kinks ? "training.algorithm = \"kinks\""
                                     : config.learning_rate.searches()             ? "the learning rate schedule \"search\""
                                     : config.learning_rate.is_adaptive()          ? "the learning rate schedule \"adaptive\""
                                     : config.kinks                                ? "tracking.kinks"
                                     : config.stop.proved                          ? "stop.proved"
                                                                                   : nullptr;
            if (what != nullptr)
                throw DeviceError(fmt::format("cell {} ({}) has {}, which runs on the CPU only; give --backend cpu", config.index,
                                              cell_name(config), what));
        }
        std::set<std::pair<int, std::size_t>> targets;  // architecture and shared memory: what programs depend on
        for (const auto& device : devices_) targets.insert({device->kernels().architecture(), device->properties().shared_bytes_per_block});
        std::vector<CompileJob> jobs;
        for (const CellConfig& config : cells) {
            const CellPrograms programs = programs_of(config);
            const std::vector<kernels::Law> coordinates = coordinate_laws(config.input);
            const kernels::Cell cell = kernel_cell(config, programs, coordinates);
            for (const auto& [architecture, shared_bytes] : targets) {
                CellJobs cell_jobs = compile_jobs(cell, cell_name(config), architecture, shared_bytes);
                jobs.push_back(std::move(cell_jobs.train));
                jobs.push_back(std::move(cell_jobs.evaluate));
            }
        }
        return jobs;
    }

    static std::vector<DeviceProperties> chosen(const std::vector<DeviceProperties>& present, const std::vector<int>& wanted) {
        if (present.empty()) throw DeviceError("there is no CUDA device");
        if (wanted.empty()) return present;
        std::vector<DeviceProperties> devices;
        for (const int index : wanted) {
            const auto found = std::find_if(present.begin(), present.end(), [&](const DeviceProperties& d) { return d.index == index; });
            if (found == present.end()) {
                std::string known;
                for (const DeviceProperties& device : present)
                    known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", device.index, device.name);
                throw DeviceError(fmt::format("there is no CUDA device {}; there are {}", index, known));
            }
            devices.push_back(*found);
        }
        return devices;
    }

    std::shared_ptr<Runtime> runtime_;
    ProgramShelf shelf_;
    std::vector<std::unique_ptr<OpenDevice>> devices_;
    std::vector<std::unique_ptr<Worker>> workers_;  // worker w serves device w mod devices, so that few batches spread over all
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(std::shared_ptr<Runtime> runtime, std::shared_ptr<const Compiler> compiler,
                                           const CudaBackendOptions& options) {
    return std::make_unique<CudaBackend>(std::move(runtime), std::move(compiler), options);
}

std::unique_ptr<Backend> make_cuda_backend(const CudaBackendOptions& options) {
    std::shared_ptr<Runtime> runtime = make_cuda_runtime();
    auto found = Nvrtc::load();
    if (const auto* why = std::get_if<std::string>(&found))
        throw DeviceError(fmt::format("the kernels are compiled when they are needed, and there is no NVRTC to do it:\n{}", *why));
    return make_cuda_backend(std::move(runtime), std::make_shared<const Nvrtc>(std::move(std::get<Nvrtc>(found))), options);
}

}  // namespace limrisk::cuda
