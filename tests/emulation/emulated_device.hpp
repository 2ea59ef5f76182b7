// One emulated device: its memory, its clock, the failures that are to come, and its streams.
#pragma once
#include <array>
#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulation.hpp"
#include "guarded_memory.hpp"

namespace limrisk::test {

class EmulatedStreamQueue;

/// Shared by all that was made of the device.
class EmulatedDeviceState {
public:
    EmulatedDeviceState(cuda::DeviceProperties properties, const EmulatedRuntimeOptions& options);

    /// Begins a call: counts it and throws what is due. Nothing, or the failure that the call is to have without throwing: OutOfMemory,
    /// or ErrorInStream.
    std::optional<Fault> enter(Call call);
    /// The same for calls that cannot fail.
    void enter_quietly(Call call) noexcept;

    /// From now on every call fails in this way.
    void break_with(std::exception_ptr defect);
    void break_with(const std::string& error);
    void throw_defect() const;
    void throw_broken(Call call) const;
    bool broken() const;
    [[noreturn]] void fail(Call call, const std::string& error) const;
    /// A call that a GPU would refuse, or worse; the mistake is in limrisk.
    [[noreturn]] void misused(Call call, const std::string& how) const;

    void inject(const Fault& fault);
    std::int64_t calls(Call call) const;
    EmulatedUsage usage() const;

    double clock() const;
    void advance_clock(double seconds);

    void add(EmulatedStreamQueue* queue);
    void remove(EmulatedStreamQueue* queue);
    /// Does all work that waits, as what frees memory does on a GPU.
    void finish_all_streams() noexcept;

    const cuda::DeviceProperties properties;
    const EmulatedRuntimeOptions options;
    GuardedMemory memory, host_memory;
    std::atomic<std::size_t> streams{0}, events{0}, modules{0};

private:
    mutable std::mutex mutex_;  // guards all below
    std::array<std::int64_t, call_kinds> calls_{};
    std::vector<Fault> faults_;  // occurrence: calls that are left
    std::optional<std::string> broken_;
    std::exception_ptr defect_;
    double clock_ = 0;
    std::mutex queues_mutex_;
    std::set<EmulatedStreamQueue*> queues_;
};

/// The work of a stream in order. The host's thread that waits for it does it.
class EmulatedStreamQueue {
public:
    explicit EmulatedStreamQueue(std::shared_ptr<EmulatedDeviceState> device);
    ~EmulatedStreamQueue();
    EmulatedStreamQueue(const EmulatedStreamQueue&) = delete;
    EmulatedStreamQueue& operator=(const EmulatedStreamQueue&) = delete;

    /// Seconds of the device that the work took; nothing: as long as the host took.
    using Work = std::function<std::optional<double>()>;

    /// Number of the piece of work: 1, 2, ... `despite_failure`: it is done even if earlier work failed.
    std::int64_t push(Work work, bool despite_failure = false);
    /// Fails when its turn comes.
    void push_failure(const Fault& fault);
    /// @throws what failed up to that piece, in the words of `call`.
    void finish(std::int64_t number, Call call);
    void finish_quietly() noexcept;
    /// Does one piece if that one is not done; whether it is.
    bool poll(std::int64_t number, Call call);
    std::int64_t last() const;

    EmulatedDeviceState& device() const { return *device_; }

private:
    void do_one(const std::unique_lock<std::mutex>& held);
    void report(Call call);

    const std::shared_ptr<EmulatedDeviceState> device_;
    mutable std::mutex mutex_;  // guards all below
    std::deque<std::pair<Work, bool>> waiting_;
    std::int64_t done_ = 0;
    std::optional<Fault> failure_;  // of work that was done, not yet reported
};

std::unique_ptr<cuda::Stream> make_emulated_stream(const std::shared_ptr<EmulatedDeviceState>& device);

}  // namespace limrisk::test
