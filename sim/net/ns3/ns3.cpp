/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ns-3 as a carrier, for two hosts: a channel is one TCP connection, opened by
 * its source, and an answer is bytes on it. What is below the two hosts is one
 * point-to-point link with the smallest capacity of the path, each way, and its
 * latency. Several answers are in the stream at once; bytes that TCP has taken
 * cannot be taken back.
 *
 * ns-3's defaults (segments of 536 bytes, buffers of 128 KiB) would make a fast
 * long path many times slower than it is, so buffers and queue come from the
 * bandwidth-delay product at the start. A dead link drops packets: TCP finds
 * out by its own timers when it is back. A cap is kept by handing bytes to TCP
 * at that rate. A host that goes down stays up in ns-3; its connections are
 * given nothing more and what they deliver is not looked at.
 */
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-helper.h"

#include <algorithm>
#include <memory>
#include <vector>

extern "C" {
#include "net/channels.h"
}

namespace {

constexpr uint32_t kSegment = 1448;     /* Ethernet with time stamps */
constexpr uint64_t kWide = 1250000000;  /* B/s of an unlimited link */
constexpr uint64_t kWindow = 256 << 10; /* smallest buffer, bytes */
constexpr uint16_t kPort = 80, kFirstPort = 1024;

struct Sim;

/* Kept until the end: callbacks of a closed connection may still come. */
struct Connection {
  Sim *sim;
  net_channel ch;
  ns3::Ptr<ns3::Socket> out;
  xl_rate cap;
  xl_bytes pending = 0; /* not handed to TCP yet */
  xl_bytes allowed = 0; /* by the cap, until the next tick */
  ns3::EventId tick;
  bool mute = false;
};

struct Sim {
  net *owner = nullptr;
  const tree *links = nullptr;
  net_node hosts[2] = {NET_NO_NODE, NET_NO_NODE};
  ns3::NodeContainer nodes;
  ns3::NetDeviceContainer devices;
  ns3::Ipv4InterfaceContainer addresses;
  ns3::Ptr<ns3::RateErrorModel> drops[2];       /* of what host i receives */
  std::vector<std::unique_ptr<Connection>> all; /* by source port */
  std::vector<Connection *> channels;           /* by number */
};

Sim *sim_of(void *sim) {
  return static_cast<Sim *>(sim);
}

/* ---- sending ----------------------------------------------------------------
 */

/* Hands TCP what it takes and the cap allows. */
void feed(Connection *c) {
  while (c->pending > 0 && c->out->GetTxAvailable() > 0) {
    xl_bytes n = std::min<xl_bytes>(c->pending, c->out->GetTxAvailable());
    n = std::min<xl_bytes>(n, 16 * kSegment);
    if (c->cap != XL_RATE_UNLIMITED) {
      n = std::min(n, c->allowed);
    }
    int sent = n == 0 ? 0 : c->out->Send(ns3::Create<ns3::Packet>(n));
    if (sent <= 0) {
      return;
    }
    c->pending -= (xl_bytes)sent;
    c->allowed -= std::min<xl_bytes>(c->allowed, (xl_bytes)sent);
  }
}

/* A capped connection may hand over one segment a tick. */
void on_tick(Connection *c) {
  c->allowed = kSegment;
  feed(c);
  if (c->cap != XL_RATE_UNLIMITED && c->cap > 0 && c->pending > 0) {
    c->tick = ns3::Simulator::Schedule(
        ns3::NanoSeconds(xl_rate_span(c->cap, kSegment)), &on_tick, c);
  }
}

void go(Connection *c) {
  if (c->cap == XL_RATE_UNLIMITED) {
    feed(c);
  } else if (!c->tick.IsRunning() && c->cap > 0) {
    on_tick(c);
  }
}

void on_room(Connection *c, ns3::Ptr<ns3::Socket>, uint32_t) {
  if (c->cap == XL_RATE_UNLIMITED) {
    feed(c);
  }
}

void silence(Connection *c) {
  c->mute = true;
  c->pending = 0;
  c->tick.Cancel();
}

/* ---- receiving
 * ---------------------------------------------------------------- */

void on_data(Connection *c, ns3::Ptr<ns3::Socket> in) {
  while (ns3::Ptr<ns3::Packet> p = in->Recv()) {
    if (p->GetSize() == 0) {
      return;
    }
    xl_time at = ns3::Simulator::Now().GetNanoSeconds();
    if (!c->mute && channels_arrived(c->sim->owner, at, c->ch, p->GetSize())) {
      ns3::Simulator::Stop(); /* after this event */
    }
  }
}

/* The source's port says which connection it is. */
void on_accept(Sim *s, ns3::Ptr<ns3::Socket> in, const ns3::Address &from) {
  size_t i = ns3::InetSocketAddress::ConvertFrom(from).GetPort() - kFirstPort;

  in->SetRecvCallback(ns3::MakeBoundCallback(&on_data, s->all[i].get()));
}

void listen(Sim *s, uint32_t host) {
  auto l = ns3::Socket::CreateSocket(s->nodes.Get(host),
                                     ns3::TcpSocketFactory::GetTypeId());

  l->Bind(ns3::InetSocketAddress(ns3::Ipv4Address::GetAny(), kPort));
  l->Listen();
  l->SetAcceptCallback(ns3::MakeNullCallback<bool, ns3::Ptr<ns3::Socket>,
                                             const ns3::Address &>(),
                       ns3::MakeBoundCallback(&on_accept, s));
}

/* ---- the link
 * -------------------------------------------------------------------- */

/* Of the path from host |from| to the other; 0 when a link is dead. */
xl_rate path_rate(const Sim *s, uint32_t from) {
  xl_rate rate = kWide;

  for (tree_step k = {NET_NO_NODE, true};
       tree_next(s->links, s->hosts[from], s->hosts[1 - from], &k);) {
    rate = std::min(rate, tree_rate(s->links, k));
  }
  return rate;
}

void set_rates(Sim *s) {
  for (uint32_t i = 0; i < 2; i++) {
    xl_rate rate = path_rate(s, i);
    s->drops[1 - i]->SetRate(rate == 0 ? 1 : 0);
    if (rate > 0) {
      ns3::DynamicCast<ns3::PointToPointNetDevice>(s->devices.Get(i))
          ->SetDataRate(ns3::DataRate(rate * 8));
    }
  }
}

void set_defaults(const Sim *s) {
  double rate = (double)std::max(path_rate(s, 0), path_rate(s, 1));
  double round =
      2e-9 * (double)tree_latency(s->links, s->hosts[0], s->hosts[1]);
  auto window = (uint32_t)std::min(std::max((double)kWindow, 2 * rate * round),
                                   (double)(1 << 30));

  ns3::Config::SetDefault("ns3::TcpSocket::SegmentSize",
                          ns3::UintegerValue(kSegment));
  ns3::Config::SetDefault("ns3::TcpSocket::SndBufSize",
                          ns3::UintegerValue(window));
  ns3::Config::SetDefault("ns3::TcpSocket::RcvBufSize",
                          ns3::UintegerValue(window));
  ns3::Config::SetDefault("ns3::DropTailQueue<Packet>::MaxSize",
                          ns3::QueueSizeValue(ns3::QueueSize(
                              ns3::PACKETS, 2 * window / kSegment + 100)));
}

void build(Sim *s) {
  ns3::PointToPointHelper wire;
  ns3::InternetStackHelper stack;
  ns3::Ipv4AddressHelper numbers("10.0.0.0", "255.255.255.0");

  set_defaults(s);
  wire.SetChannelAttribute(
      "Delay", ns3::TimeValue(ns3::NanoSeconds(
                   tree_latency(s->links, s->hosts[0], s->hosts[1]))));
  s->nodes.Create(2);
  s->devices = wire.Install(s->nodes);
  stack.Install(s->nodes);
  s->addresses = numbers.Assign(s->devices);
  ns3::TrafficControlHelper().Uninstall(s->devices); /* the queue is enough */
  for (uint32_t i = 0; i < 2; i++) {
    s->drops[i] = ns3::CreateObject<ns3::RateErrorModel>();
    s->drops[i]->SetUnit(ns3::RateErrorModel::ERROR_UNIT_PACKET);
    s->devices.Get(i)->SetAttribute("ReceiveErrorModel",
                                    ns3::PointerValue(s->drops[i]));
    listen(s, i);
  }
  set_rates(s);
}

/* ---- the carrier
 * ------------------------------------------------------------------ */

void carrier_del(void *sim) {
  ns3::Simulator::Destroy();
  delete sim_of(sim);
}

void carrier_open(void *sim, net_channel ch, net_node src, net_node,
                  xl_rate cap, double) {
  Sim *s = sim_of(sim);
  uint32_t from = src == s->hosts[0] ? 0 : 1;
  auto port = (uint16_t)(kFirstPort + s->all.size());

  assert(kFirstPort + s->all.size() <= UINT16_MAX);
  s->all.push_back(std::make_unique<Connection>());
  Connection *c = s->all.back().get();
  *c = {s, ch,
        ns3::Socket::CreateSocket(s->nodes.Get(from),
                                  ns3::TcpSocketFactory::GetTypeId()),
        cap};
  c->out->Bind(ns3::InetSocketAddress(s->addresses.GetAddress(from), port));
  c->out->SetSendCallback(ns3::MakeBoundCallback(&on_room, c));
  c->out->Connect(
      ns3::InetSocketAddress(s->addresses.GetAddress(1 - from), kPort));
  s->channels.resize(std::max<size_t>(s->channels.size(), ch + 1));
  s->channels[ch] = c;
}

void carrier_close(void *sim, net_channel ch) {
  Connection *c = sim_of(sim)->channels[ch];

  silence(c);
  c->out->Close();
}

void carrier_cap(void *sim, net_channel ch, xl_rate cap) {
  Connection *c = sim_of(sim)->channels[ch];

  c->cap = cap;
  c->tick.Cancel();
  go(c);
}

void carrier_start(void *sim, net_channel ch, xl_bytes bytes) {
  Connection *c = sim_of(sim)->channels[ch];

  c->pending += bytes;
  go(c);
}

xl_bytes carrier_stop(void *sim, net_channel ch) {
  silence(sim_of(sim)->channels[ch]);
  return 0;
}

xl_bytes carrier_cut(void *sim, net_channel ch, xl_bytes bytes,
                     xl_bytes behind) {
  Connection *c = sim_of(sim)->channels[ch];
  xl_bytes n = c->pending > behind ? std::min(c->pending - behind, bytes) : 0;

  c->pending -= n;
  return n;
}

void carrier_link(void *sim, net_node) {
  set_rates(sim_of(sim));
}

xl_time carrier_advance(void *sim, xl_time until, fail *) {
  (void)sim;
  ns3::Time left = ns3::NanoSeconds(until) - ns3::Simulator::Now();
  ns3::EventId end = ns3::Simulator::Schedule(
      left, static_cast<void (*)()>(&ns3::Simulator::Stop));

  ns3::Simulator::Run();
  end.Cancel();
  return ns3::Simulator::Now().GetNanoSeconds();
}

const carrier ns3_carrier = {
    .stream = true,
    .del = carrier_del,
    .open = carrier_open,
    .close = carrier_close,
    .cap = carrier_cap,
    .start = carrier_start,
    .stop = carrier_stop,
    .arrived = nullptr,
    .cut = carrier_cut,
    .link = carrier_link,
    .advance = carrier_advance,
};

/* ---- opening
 * ------------------------------------------------------------------------ */

net *ns3_open(const net_topology *t, const xl_value *, const net_sink *sink,
              fail *why) {
  auto s = new Sim;
  uint32_t nhosts = 0;

  for (net_node i = 0; i < t->nnodes; i++) {
    if (t->nodes[i].host && nhosts++ < 2) {
      s->hosts[nhosts - 1] = i;
    }
  }
  if (nhosts != 2) {
    fail_set(why, EXIT_USAGE,
             "network ns3 takes exactly 2 hosts, the topology has %u", nhosts);
    delete s;
    return nullptr;
  }
  s->owner = channels_new(t, sink, &ns3_carrier, 1, s, why);
  if (s->owner != nullptr) {
    s->links = channels_tree(s->owner);
    build(s);
  }
  return s->owner;
}

} // namespace

extern "C" const net_ops *net_entry(void) {
  static const net_ops ops = [] {
    net_ops o = net_ops_of_channels();
    o.name = "ns3";
    o.help = "ns-3.37, packets and TCP; two hosts";
    o.caps = NET_CAP_RATE_CAP | NET_CAP_LINK_CHANGE | NET_CAP_EXACT_PROGRESS;
    o.params = nullptr;
    o.nparams = 0;
    o.open = ns3_open;
    return o;
  }();
  return &ops;
}
