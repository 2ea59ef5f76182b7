// Streams and events of an emulated device.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "block_runner.hpp"
#include "emulated_module.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {

EmulatedStreamQueue::EmulatedStreamQueue(std::shared_ptr<EmulatedDeviceState> device) : device_(std::move(device)) { device_->add(this); }

EmulatedStreamQueue::~EmulatedStreamQueue() {
    device_->remove(this);
    finish_quietly();
}

std::int64_t EmulatedStreamQueue::push(Work work, bool despite_failure) {
    std::unique_lock lock(mutex_);
    waiting_.emplace_back(std::move(work), despite_failure);
    const std::int64_t number = done_ + static_cast<std::int64_t>(waiting_.size());
    if (!device_->options.deferred) do_one(lock);
    return number;
}

void EmulatedStreamQueue::push_failure(const Fault& fault) {
    push([this, fault]() -> std::optional<double> {
        failure_ = fault;
        if (fault.sticky) device_->break_with(fault.error);
        return std::nullopt;
    });
}

/// Work after a failure is dropped, as long as the failure was not reported.
void EmulatedStreamQueue::do_one(const std::unique_lock<std::mutex>&) {
    const auto [work, despite_failure] = std::move(waiting_.front());
    waiting_.pop_front();
    ++done_;
    if ((failure_ || device_->broken()) && !despite_failure) return;
    const auto begin = std::chrono::steady_clock::now();
    std::optional<double> seconds;
    try {
        const GuardedMemory::Access access(device_->memory);
        seconds = work();
    } catch (...) {
        // Not what a device can say, so it ends whatever waits, on every stream.
        device_->break_with(std::current_exception());
    }
    device_->advance_clock(seconds.value_or(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()));
}

void EmulatedStreamQueue::report(Call call) {
    device_->throw_defect();
    if (failure_) device_->fail(call, std::exchange(failure_, std::nullopt)->error);
    device_->throw_broken(call);  // by another stream while this one waited: what was dropped must not pass for done
}

void EmulatedStreamQueue::finish(std::int64_t number, Call call) {
    std::unique_lock lock(mutex_);
    while (done_ < number) do_one(lock);
    report(call);
}

void EmulatedStreamQueue::finish_quietly() noexcept {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) do_one(lock);
}

bool EmulatedStreamQueue::poll(std::int64_t number, Call call) {
    std::unique_lock lock(mutex_);
    if (done_ < number) do_one(lock);
    report(call);
    return done_ >= number;
}

std::int64_t EmulatedStreamQueue::last() const {
    const std::lock_guard lock(mutex_);
    return done_ + static_cast<std::int64_t>(waiting_.size());
}

namespace {

class EmulatedEvent final : public cuda::Event {
public:
    explicit EmulatedEvent(std::shared_ptr<EmulatedStreamQueue> queue) : queue_(std::move(queue)), reached_(std::make_shared<double>(-1)) {
        ++queue_->device().events;
        number_ = queue_->push(
            [device = &queue_->device(), reached = reached_] {
                *reached = device->clock();
                return 0.0;
            },
            true);
    }
    ~EmulatedEvent() override { --queue_->device().events; }
    EmulatedEvent(const EmulatedEvent&) = delete;
    EmulatedEvent& operator=(const EmulatedEvent&) = delete;

    bool done() override {
        queue_->device().enter(Call::Done);
        return queue_->poll(number_, Call::Done);
    }

    void wait() override {
        queue_->device().enter(Call::Wait);
        queue_->finish(number_, Call::Wait);
    }

    double seconds_since(Event& earlier) override {
        EmulatedDeviceState& device = queue_->device();
        device.enter(Call::Elapsed);
        const auto& other = dynamic_cast<EmulatedEvent&>(earlier);
        if (&other.queue_->device() != &device) device.misused(Call::Elapsed, "the events are of two devices");
        if (*reached_ < 0 || *other.reached_ < 0) device.misused(Call::Elapsed, "an event is not done");
        return *reached_ - *other.reached_;
    }

private:
    std::shared_ptr<EmulatedStreamQueue> queue_;
    std::shared_ptr<double> reached_;
    std::int64_t number_ = 0;
};

/// Runs all blocks on the host threads that the options allow.
void run_launch(const LaunchedKernel& kernel, int host_threads) {
    std::atomic<std::int64_t> next{0};
    std::mutex mutex;
    std::exception_ptr error;
    const auto work = [&] {
        try {
            BlockRunner runner(kernel);
            for (std::int64_t block; (block = next++) < kernel.blocks;) runner.run(block);
        } catch (...) {
            next = kernel.blocks;
            const std::lock_guard lock(mutex);
            if (!error) error = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int i = 1; i < std::min<std::int64_t>(host_threads, kernel.blocks); ++i) threads.emplace_back(work);
        work();
    }
    if (error) std::rethrow_exception(error);
}

class EmulatedStream final : public cuda::Stream {
public:
    explicit EmulatedStream(const std::shared_ptr<EmulatedDeviceState>& device)
        : device_(device), queue_(std::make_shared<EmulatedStreamQueue>(device)) {
        ++device_->streams;
    }
    ~EmulatedStream() override {
        queue_->finish_quietly();
        --device_->streams;
    }
    EmulatedStream(const EmulatedStream&) = delete;
    EmulatedStream& operator=(const EmulatedStream&) = delete;

    void copy_to_device(void* device, const void* host, std::size_t bytes) override {
        copy(Call::CopyToDevice, device, host, bytes, device, host);
    }

    void copy_to_host(void* host, const void* device, std::size_t bytes) override {
        copy(Call::CopyToHost, device, host, bytes, host, device);
    }

    void fill_zero(void* device, std::size_t bytes) override {
        const auto fault = device_->enter(Call::FillZero);
        check_device_range(Call::FillZero, device, bytes);
        push(fault, [=]() -> std::optional<double> {
            std::memset(device, 0, bytes);
            return std::nullopt;
        });
    }

    void launch(const cuda::Kernel& given, std::int64_t blocks, int threads, std::size_t shared_bytes, const void* arguments) override {
        const auto fault = device_->enter(Call::Launch);
        const auto& kernel = dynamic_cast<const EmulatedKernel&>(given);
        if (kernel.device != device_.get()) device_->misused(Call::Launch, kernel.name + " was loaded on another device");
        if (blocks < 1 || blocks > 0x7FFFFFFF) device_->misused(Call::Launch, fmt::format("{} with {} blocks", kernel.name, blocks));
        if (threads < 1 || threads > std::min(1024, kernel.description.threads))
            device_->misused(Call::Launch,
                             fmt::format("{} with blocks of {} threads, bound to {}", kernel.name, threads, kernel.description.threads));
        if (shared_bytes > kernel.shared_bytes)
            device_->misused(Call::Launch, fmt::format("{} with {} bytes of dynamic shared memory, ready for {}", kernel.name, shared_bytes,
                                                       kernel.shared_bytes));
        // Aligned for any type, as kernel parameters are.
        const auto copied =
            std::make_shared<std::vector<std::max_align_t>>(kernel.description.argument_bytes / sizeof(std::max_align_t) + 1);
        std::memcpy(copied->data(), arguments, kernel.description.argument_bytes);
        push(fault, [this, &kernel, blocks, threads, shared_bytes, copied]() -> std::optional<double> {
            run_launch({kernel.name, kernel.enter, kernel.description.run, copied->data(), blocks, threads, shared_bytes},
                       device_->options.host_threads);
            if (!device_->options.launch_seconds) return std::nullopt;
            return device_->options.launch_seconds(kernel.name, blocks);
        });
    }

    void select(const std::int32_t* list, const std::int64_t* count, std::int64_t capacity, const std::uint8_t* flags,
                std::int32_t* selected, std::int64_t* selected_count) override {
        const auto fault = device_->enter(Call::Select);
        if (capacity < 0) device_->misused(Call::Select, fmt::format("a capacity of {}", capacity));
        if (list == selected) device_->misused(Call::Select, "the list is to be replaced in place");
        const auto entries = static_cast<std::size_t>(capacity) * sizeof(std::int32_t);
        check_device_range(Call::Select, list, entries);
        check_device_range(Call::Select, selected, entries);
        check_device_range(Call::Select, count, sizeof *count);
        check_device_range(Call::Select, selected_count, sizeof *selected_count);
        push(fault, [=, this]() -> std::optional<double> {
            if (*count < 0 || *count > capacity)
                device_->misused(Call::Select, fmt::format("a list of {} entries, announced as at most {}", *count, capacity));
            std::int64_t kept = 0;
            for (std::int64_t i = 0; i < *count; ++i)
                if (flags[list[i]] != 0) selected[kept++] = list[i];
            *selected_count = kept;
            return std::nullopt;
        });
    }

    std::optional<Aggregate> aggregate(const TrialRecord* records, std::int64_t count, std::int64_t first_trial) override {
        const auto fault = device_->enter(Call::Aggregate);
        check_device_range(Call::Aggregate, records, static_cast<std::size_t>(count) * sizeof *records);
        if (fault && fault->effect == Fault::Effect::OutOfMemory) return std::nullopt;
        Aggregate result;
        push(fault, [&]() -> std::optional<double> {
            result = aggregate_records(records, count, first_trial);
            return std::nullopt;
        });
        queue_->finish(queue_->last(), Call::Aggregate);
        return result;
    }

    std::unique_ptr<cuda::Event> record() override {
        const auto fault = device_->enter(Call::Record);
        if (fault) queue_->push_failure(*fault);
        return std::make_unique<EmulatedEvent>(queue_);
    }

    void synchronize() override {
        device_->enter(Call::Synchronize);
        queue_->finish(queue_->last(), Call::Synchronize);
    }

private:
    void push(const std::optional<Fault>& fault, EmulatedStreamQueue::Work work) {
        if (fault)
            queue_->push_failure(*fault);
        else
            queue_->push(std::move(work));
    }

    void check_device_range(Call call, const void* device, std::size_t bytes) const {
        if (bytes > 0 && !device_->memory.contains(device, bytes))
            device_->misused(call, fmt::format("{} bytes that do not lie in one allocation of the device", bytes));
    }

    void copy(Call call, const void* device, const void* host, std::size_t bytes, void* to, const void* from) {
        const auto fault = device_->enter(call);
        check_device_range(call, device, bytes);
        const bool waits_for_nobody = device_->host_memory.contains(host, bytes);
        if (device_->memory.touches(host, bytes)) device_->misused(call, "the host's end lies in memory of the device");
        if (!waits_for_nobody && device_->host_memory.touches(host, bytes))
            device_->misused(call, fmt::format("{} bytes that do not lie in one allocation of the host", bytes));
        push(fault, [=]() -> std::optional<double> {
            if (bytes > 0) std::memcpy(to, from, bytes);
            return std::nullopt;
        });
        // Memory that the driver does not know goes through its own, so the call waits.
        if (!waits_for_nobody) queue_->finish(queue_->last(), call);
    }

    std::shared_ptr<EmulatedDeviceState> device_;
    std::shared_ptr<EmulatedStreamQueue> queue_;
};

}  // namespace

std::unique_ptr<cuda::Stream> make_emulated_stream(const std::shared_ptr<EmulatedDeviceState>& device) {
    return std::make_unique<EmulatedStream>(device);
}

}  // namespace limrisk::test
